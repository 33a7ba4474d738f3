"""What an RDD is made of: nodes that know their number of partitions and can compute each of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate, chain
from typing import Any

from millstream.rdd import fuse


class Node(ABC):
    """One dataset of the lineage. ``kept`` holds computed partitions once the dataset is persisted."""

    #: The name in `RDD.toDebugString`.
    label = "RDD"

    def __init__(self, partitions: int, parents: tuple[Node, ...] = ()) -> None:
        self.partitions = partitions
        self.parents = parents
        self.kept: dict[int, list[Any]] | None = None

    @abstractmethod
    def compute(self, index: int) -> Iterable[Any]:
        """The elements of one partition, computed anew."""

    def rows(self, index: int) -> Iterable[Any]:
        """The elements of one partition, kept ones if the dataset is persisted."""
        kept = self.kept
        if kept is None:
            return self.compute(index)
        if index not in kept:
            kept[index] = list(self.compute(index))
        return kept[index]


class Stepped(Node):
    """A parent and one narrow step on it. Chains of these run as one loop (`drain`)."""

    def __init__(self, parent: Node, step: fuse.Step) -> None:
        super().__init__(parent.partitions, (parent,))
        self.parent = parent
        self.step = step
        self.label = step.kind

    def compute(self, index: int) -> Iterable[Any]:
        """The step and those below it, lazily."""
        steps, source = _fusable(self.parent, [self.step])
        rows: Iterable[Any] = fuse.run(steps, source.rows(index), index, "rows")
        return rows


def _fusable(node: Node, steps: list[fuse.Step]) -> tuple[list[fuse.Step], Node]:
    """Puts the steps of the chain that ends in ``node`` before ``steps``; a persisted dataset ends the walk."""
    found = steps[::-1]
    while isinstance(node, Stepped) and node.kept is None:
        found.append(node.step)
        node = node.parent
    return found[::-1], node


def drain(node: Node, index: int, sink: str, *functions: Any) -> Any:
    """Runs one partition of ``node`` into a sink of `fuse`, the whole chain of steps and the sink as one loop."""
    steps, source = _fusable(node, [])
    return fuse.run(steps, source.rows(index), index, sink, *functions)


class Slices(Node):
    """Parts of a sequence of the program: ``parallelize``."""

    label = "ParallelCollectionRDD"

    def __init__(self, data: Sequence[Any], partitions: int) -> None:
        super().__init__(partitions)
        self.data = data
        self._bounds = slice_bounds(data, partitions)

    def compute(self, index: int) -> Iterable[Any]:
        """A copy of the slice, so that later changes of the program's list do not matter half-way."""
        return self.data[self._bounds[index] : self._bounds[index + 1]]


def slice_bounds(data: Sequence[Any], partitions: int) -> list[int]:
    """Where ``parallelize`` cuts: a range evenly; other data in chunks of equal size, dealt evenly, as PySpark does."""
    size = len(data)
    if isinstance(data, range):
        return [index * size // partitions for index in range(partitions + 1)]
    chunk = max(1, min(size // partitions, 1024))
    chunks = -(-size // chunk)
    return [min(size, index * chunks // partitions * chunk) for index in range(partitions + 1)]


class Union(Node):
    """The partitions of several datasets, one after the other."""

    label = "UnionRDD"

    def __init__(self, parents: Sequence[Node]) -> None:
        self._starts = list(accumulate((parent.partitions for parent in parents), initial=0))
        super().__init__(self._starts[-1], tuple(parents))

    def compute(self, index: int) -> Iterable[Any]:
        """The partition of the parent it belongs to."""
        which = bisect_right(self._starts, index) - 1
        return self.parents[which].rows(index - self._starts[which])


class Coalesced(Node):
    """Neighbouring partitions joined into fewer."""

    label = "CoalescedRDD"

    def __init__(self, parent: Node, partitions: int) -> None:
        super().__init__(min(partitions, parent.partitions), (parent,))

    def compute(self, index: int) -> Iterable[Any]:
        """The joined partitions, lazily."""
        (parent,) = self.parents
        first, last = (i * parent.partitions // self.partitions for i in (index, index + 1))
        return chain.from_iterable(parent.rows(i) for i in range(first, last))


class Numbered(Node):
    """Elements with their position in the whole dataset: ``zipWithIndex``."""

    label = "ZippedWithIndexRDD"

    def __init__(self, parent: Node) -> None:
        super().__init__(parent.partitions, (parent,))
        self._starts = [0]

    def compute(self, index: int) -> Iterable[Any]:
        """Pairs of element and position; the partitions before this one are counted once."""
        (parent,) = self.parents
        while len(self._starts) <= index:
            self._starts.append(self._starts[-1] + drain(parent, len(self._starts) - 1, "count"))
        return zip(parent.rows(index), range(self._starts[index], 2**63), strict=False)
