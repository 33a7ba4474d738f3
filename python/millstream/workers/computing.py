"""What a worker does with a task's lineage: its inputs, its leaves, and the work itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar

from millstream.rdd.packing import pack, pack_rows, unpack
from millstream.rdd.partitions import Node, drain
from millstream.workers import frames

if TYPE_CHECKING:
    from millstream.rdd.shuffle import Shuffled
    from millstream.workers.frames import Channel


class Inputs:
    """The inputs of a task, read from the socket as they are needed."""

    def __init__(self, channel: Channel, coming: list[tuple[int, int]]) -> None:
        self._channel = channel
        self._uses = Counter(coming)
        self._coming = list(dict.fromkeys(coming))[::-1]
        self._stored: dict[tuple[int, int], list[Any]] = {}

    def parts(self, leaf: int, index: int) -> Iterable[Any]:
        """The unpickled parts of one input, as they come. What comes before it, and what is needed more than once, is
        kept in memory."""
        wanted = (leaf, index)
        if self._uses[wanted] == 1:
            return self._stream(wanted)
        while wanted not in self._stored:
            self._store_next()
        return self._stored[wanted]

    def _stream(self, wanted: tuple[int, int]) -> Iterator[Any]:
        while wanted not in self._stored:
            if self._coming[-1] != wanted:
                self._store_next()
                continue
            kind, payload = self._channel.read()
            if kind == frames.END:
                self._coming.pop()
                return
            yield unpack(payload)
        # Another input was read while this one was at its beginning, or half-way.
        yield from self._stored.pop(wanted)

    def _store_next(self) -> None:
        parts = self._stored.setdefault(self._coming[-1], [])
        while True:
            kind, payload = self._channel.read()
            if kind == frames.END:
                self._coming.pop()
                return
            parts.append(unpack(payload))

    def skip(self) -> None:
        """Reads and drops what the task has left."""
        while self._coming:
            if self._channel.read()[0] == frames.END:
                self._coming.pop()


class Leaf(Node):
    """A dataset whose rows come from the main process."""

    #: Those of the task that runs.
    inputs: ClassVar[Inputs]

    def __init__(self, number: int, partitions: int, shuffled: Shuffled | None) -> None:
        """``shuffled`` gathers rows, if what comes are its buckets."""
        super().__init__(partitions)
        self._number = number
        self._shuffled = shuffled

    def compute(self, index: int) -> Iterable[Any]:
        """The rows as they come."""
        parts = Leaf.inputs.parts(self._number, index)
        if self._shuffled is not None:
            return self._shuffled.gather(parts)
        return chain.from_iterable(parts)


def sunk(sink: str, functions: tuple[Callable[..., Any], ...], node: Node, index: int) -> list[bytes]:
    """What a sink of `fuse` makes of a partition."""
    return [pack(drain(node, index, sink, *functions))]


def rows(node: Node, index: int) -> list[bytes]:
    """The rows of a partition."""
    return list(pack_rows(drain(node, index, "rows")))


def scattered(shuffled: Shuffled, node: Node, index: int) -> list[bytes]:
    """The buckets of a partition."""
    return [pack(bucket) for bucket in shuffled.scatter(node, index)]
