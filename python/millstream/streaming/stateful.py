"""Operations that remember: state by key."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from millstream.rdd import portable_hash
from millstream.streaming.initial import pairs_of
from millstream.streaming.keyed_state import Advance, Changes, KeyedState
from millstream.streaming.operations import T
from millstream.streaming.window import WindowOperations

if TYPE_CHECKING:
    from millstream.rdd import RDD
    from millstream.streaming.dstream import DStream
    from millstream.streaming.map_with_state import MapWithStateDStream
    from millstream.streaming.state_spec import StateSpec

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
S = TypeVar("S")
E = TypeVar("E")


class StatefulOperations(WindowOperations[T]):
    """They need a checkpoint directory, as in Spark."""

    def updateStateByKey(
        self: StatefulOperations[tuple[K, V]],
        updateFunc: Callable[[list[V], S | None], S | None],
        numPartitions: int | None = None,
        initialRDD: RDD[tuple[K, S]] | Iterable[tuple[K, S]] | None = None,
    ) -> DStream[tuple[K, S]]:
        """The state of each key: ``updateFunc(values of the batch, state or None)``, called in each batch for every key
        that has a state or values. A key whose state becomes None is forgotten."""
        partitions = self._partitions(numPartitions)
        datasets = self._ssc._datasets
        state = KeyedState(partitions, None if initialRDD is None else pairs_of(datasets, initialRDD))
        self._ssc._keep("updateStateByKey", state)
        advance = _update_all(updateFunc)

        def compute(_: int, rdd: RDD[Any] | None) -> RDD[Any] | None:
            if rdd is not None:
                values = rdd.groupByKey(partitions, portable_hash)
                return datasets.of_node(state.next([datasets.node(values)], advance))
            return datasets.of_node(state.last) if state.last is not None else None

        return self._ssc._derive_always(self._itself(), compute, self._slide_ms)

    def mapWithState(
        self: StatefulOperations[tuple[K, V]], spec: StateSpec[K, V, S, E]
    ) -> MapWithStateDStream[E, K, S]:
        """What the function of ``spec`` makes of each pair and the state of its key. Only keys of the batch, and those
        that time out, cost anything."""
        from millstream.streaming.map_with_state import map_with_state

        return map_with_state(self, spec)


def _update_all(update: Callable[[list[Any], Any], Any]) -> Advance:
    def advance(old: dict[Any, Any], rows: Iterable[tuple[Any, Any]]) -> tuple[dict[Any, Any], Changes]:
        groups = dict(rows)
        # Most keys have no values and keep their state: a copy of the dict has them already.
        new, put, gone = old.copy(), {}, []
        take = groups.pop
        for key, state in old.items():
            group = take(key, None)
            after = update([] if group is None else list(group), state)
            kind = type(after)
            # Inline, since it is for every key. Equality tells that a plain value has not changed; one that a function
            # can change in place never tells.
            if kind in _PLAIN and after == state and kind is type(state):
                continue
            if after is None:
                gone.append(key)
                del new[key]
                continue
            new[key] = after
            if group is None and kind is tuple and after == state and _is_plain(after) and _is_plain(state):
                continue
            put[key] = after
        for key, group in groups.items():
            after = update(list(group), None)
            if after is not None:
                new[key] = put[key] = after
        return new, Changes(put, gone)

    return advance


_PLAIN = frozenset({int, float, str, bytes, bool, complex})


def _is_plain(value: Any) -> bool:
    return type(value) in _PLAIN or (type(value) is tuple and all(map(_is_plain, value)))
