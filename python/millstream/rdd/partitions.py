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

    #: Whether a worker process can compute a partition from the parents' partitions that `reads` names. Of any other
    #: dataset the program's process computes the rows, and sends them.
    narrow = False

    def __init__(self, partitions: int, parents: tuple[Node, ...] = ()) -> None:
        self.partitions = partitions
        self.parents = parents
        self.kept: dict[int, Iterable[Any]] | None = None
        #: Whether the kept rows are all there is, after a checkpoint.
        self.is_cut_off = False

    def cut_off(self) -> None:
        """Forgets the parents: all partitions are kept from now on."""
        self.parents = ()
        self.is_cut_off = True

    def reads(self, index: int) -> Iterable[tuple[Node, int]]:
        """The parents' partitions that `compute` reads for one partition, each once."""
        return ((parent, index) for parent in self.parents)

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

    narrow = True

    def __init__(self, parent: Node, step: fuse.Step) -> None:
        super().__init__(parent.partitions, (parent,))
        self.step = step
        self.label = step.kind

    def compute(self, index: int) -> Iterable[Any]:
        """The step and those below it, lazily."""
        steps, source = _fusable(self.parents[0], [self.step])
        rows: Iterable[Any] = fuse.run(steps, source.rows(index), index, "rows")
        return rows


def _fusable(node: Node, steps: list[fuse.Step]) -> tuple[list[fuse.Step], Node]:
    """Puts the steps of the chain that ends in ``node`` before ``steps``; a persisted dataset ends the walk."""
    found = steps[::-1]
    while isinstance(node, Stepped) and node.kept is None:
        found.append(node.step)
        node = node.parents[0]
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


class Rows(Node):
    """Partitions that are there already."""

    label = "SavedRDD"

    def __init__(self, partitions: list[list[Any]]) -> None:
        super().__init__(len(partitions))
        self.lists = partitions

    def compute(self, index: int) -> Iterable[Any]:
        """The partition."""
        return self.lists[index]


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
    narrow = True

    def __init__(self, parents: Sequence[Node]) -> None:
        self._starts = list(accumulate((parent.partitions for parent in parents), initial=0))
        super().__init__(self._starts[-1], tuple(parents))

    def reads(self, index: int) -> Iterable[tuple[Node, int]]:
        """The partition of the parent it belongs to."""
        which = bisect_right(self._starts, index) - 1
        return [(self.parents[which], index - self._starts[which])]

    def compute(self, index: int) -> Iterable[Any]:
        """The rows of that one."""
        [(parent, at)] = self.reads(index)
        return parent.rows(at)


class Coalesced(Node):
    """Neighbouring partitions joined into fewer."""

    label = "CoalescedRDD"
    narrow = True

    def __init__(self, parent: Node, partitions: int) -> None:
        super().__init__(min(partitions, parent.partitions), (parent,))

    def reads(self, index: int) -> Iterable[tuple[Node, int]]:
        """Neighbours."""
        (parent,) = self.parents
        first, last = (i * parent.partitions // self.partitions for i in (index, index + 1))
        return ((parent, at) for at in range(first, last))

    def compute(self, index: int) -> Iterable[Any]:
        """The joined partitions, lazily."""
        return chain.from_iterable(parent.rows(at) for parent, at in self.reads(index))
