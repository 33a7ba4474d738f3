"""Running partitions in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

from millstream import taskstate
from millstream.rdd.partitions import Node, drain


class Runner(Protocol):
    """Where the partitions of a job are computed."""

    def run(self, node: Node, indices: Sequence[int], sink: str, *functions: Callable[..., Any]) -> Iterator[Any]:
        """What a sink of `fuse` makes of each of some partitions, in their order."""

    def rows(self, node: Node, index: int) -> Iterable[Any]:
        """The rows of one partition, lazily if that is possible."""

    def cancel(self) -> None:
        """Ends the jobs that run, if they can be ended from outside."""

    def close(self) -> None:
        """Gives back what running needs."""


class LocalRunner:
    """One partition after the other, in the thread that asks. An exception of a function comes out as it is."""

    def run(self, node: Node, indices: Sequence[int], sink: str, *functions: Callable[..., Any]) -> Iterator[Any]:
        """Each partition is computed when its result is asked for."""
        for index in indices:
            with taskstate.task():
                result = drain(node, index, sink, *functions)
            yield result

    def rows(self, node: Node, index: int) -> Iterable[Any]:
        """Computed as they are read."""
        rows: Iterable[Any] = drain(node, index, "rows")
        return rows

    def cancel(self) -> None:
        """A function that runs in this process can't be ended."""

    def close(self) -> None:
        """Nothing to do."""
