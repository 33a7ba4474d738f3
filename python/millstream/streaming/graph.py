"""How streams are made of streams, until the context starts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from millstream.callsite import user_call_site
from millstream.errors import IllegalArgumentException, IllegalStateException, PySparkTypeError
from millstream.streaming.dstream import DStream
from millstream.streaming.grid import Grid
from millstream.streaming.saving import Saved, States

if TYPE_CHECKING:
    from millstream._millstream import Engine
    from millstream.rdd import RDD
    from millstream.streaming.context import StreamingContext
    from millstream.streaming.datasets import Datasets

T = TypeVar("T")


class Graph:
    """The part of a context that adds to the engine's graph."""

    _datasets: Datasets
    _engine: Engine
    _grid: Grid
    _states: States
    #: Whether there is an operation that does not go without a checkpoint directory.
    _stateful: bool
    _outputs: int
    _started_at: str | None
    _stopped: bool

    def union(self, *dstreams: DStream[T]) -> DStream[T]:
        """One stream of the elements of several."""
        if not dstreams:
            raise ValueError("should have at least one DStream to union")
        if len(dstreams) == 1:
            return dstreams[0]
        if len({stream._slide_ms for stream in dstreams}) > 1:
            raise ValueError("All DStreams should have same slide duration")
        return self._derive(list(dstreams), lambda _, *rdds: self._datasets.union(rdds))

    def transform(self, dstreams: list[DStream[Any]], transformFunc: Callable[[list[RDD[Any]]], RDD[T]]) -> DStream[T]:
        """A stream of what ``transformFunc`` makes of each batch's list of RDDs."""
        return self._derive(dstreams, lambda _, *rdds: transformFunc(list(rdds)))

    def _derive(self, parents: list[DStream[Any]], function: Callable[..., Any]) -> DStream[Any]:
        """``function(time in ms, *RDDs)`` makes the batch's RDD, or None for "no RDD for this batch"."""
        self._check_building()
        if any(parent.context() is not self for parent in parents):
            raise IllegalArgumentException("requirement failed: Some of the DStreams have different contexts")
        if not parents:
            raise IllegalArgumentException("requirement failed: List of DStreams to transform is empty")
        if len({parent._slide_ms for parent in parents}) > 1:
            raise IllegalArgumentException("requirement failed: Some of the DStreams have different slide durations")

        def compute(time_ms: int, *rdds: RDD[Any] | None) -> RDD[Any] | None:
            self._grid.note(time_ms)
            if any(rdd is None for rdd in rdds):
                return None
            made = function(time_ms, *(parent._ready(time_ms, rdd) for parent, rdd in zip(parents, rdds, strict=True)))
            if made is not None and not self._datasets.owns(made):
                raise PySparkTypeError(f"a transform function must return an RDD, not {type(made).__name__}")
            return made

        return DStream(
            self._itself(), self._engine.derive([parent._stream for parent in parents], compute), parents[0]._slide_ms
        )

    def _derive_always(
        self, parent: DStream[Any], function: Callable[[int, RDD[Any] | None], RDD[Any] | None], slide_ms: int
    ) -> DStream[Any]:
        """As `_derive`, from one parent, for ``function`` that is also to be called where the parent has no RDD."""
        self._check_building()

        def compute(time_ms: int, rdd: RDD[Any] | None) -> RDD[Any] | None:
            self._grid.note(time_ms)
            return function(time_ms, None if rdd is None else parent._ready(time_ms, rdd))

        return DStream(self._itself(), self._engine.derive([parent._stream], compute), slide_ms)

    def _keep(self, kind: str, state: Saved) -> None:
        """Keeps a state from batch to batch, which needs a checkpoint directory."""
        self._states.add(kind, state)
        self._stateful = True

    def _output(self, parent: DStream[Any], function: Callable[[int, Any], Any], name: str) -> None:
        self._check_building()

        def run(time_ms: int, rdd: RDD[Any] | None) -> None:
            if rdd is not None:
                function(time_ms, parent._ready(time_ms, rdd))

        self._engine.output(parent._stream, run, f"{name} at {user_call_site()}")
        self._outputs += 1

    def _check_building(self) -> None:
        if self._stopped or self._started_at is not None:
            when = "stopping" if self._stopped else "starting"
            raise IllegalStateException(
                f"Adding new inputs, transformations, and output operations after {when} a context is not supported"
            )

    def _itself(self) -> StreamingContext:
        return cast("StreamingContext", self)
