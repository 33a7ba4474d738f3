"""Datasets whose rows move between partitions by key or by order.

Each parent partition is scattered into a bucket for each output partition; an output partition is gathered from its
buckets, which come in the order of the parent's partitions. All is done once and kept by the node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from millstream.rdd.partitions import Node, drain

if TYPE_CHECKING:
    from millstream.rdd.packing import Packed


class Shuffled(Node):
    """All output partitions are made together, when the first of them is asked for."""

    def __init__(self, parent: Node, partitions: int) -> None:
        super().__init__(partitions, (parent,))
        #: What was gathered in this process, or the buckets that worker processes have made.
        self.made: Sequence[Iterable[Any]] | None = None
        self.packed: Sequence[Packed] | None = None

    def compute(self, index: int) -> Iterable[Any]:
        """One of the output partitions."""
        if self.packed is not None:
            return self.gather(self.packed[index].parts())
        if self.made is None:
            (parent,) = self.parents
            scattered = (self.scatter(parent, number) for number in range(parent.partitions))
            # One bucket each: gathered as they come, so that no two need be in memory.
            columns = [(row[0] for row in scattered)] if self.partitions == 1 else _columns(scattered, self.partitions)
            self.made = [self.gather(iter(buckets)) for buckets in columns]
        return self.made[index]

    def scatter(self, parent: Node, index: int) -> Sequence[Any]:
        """A bucket for each output partition, made of partition ``index`` of ``parent``."""
        raise NotImplementedError

    def gather(self, buckets: Iterable[Any]) -> Iterable[Any]:
        """The rows of one output partition; the buckets may be changed."""
        return list(chain.from_iterable(buckets))


def _columns(rows: Iterable[Sequence[Any]], count: int) -> list[list[Any]]:
    columns: list[list[Any]] = [[] for _ in range(count)]
    for row in rows:
        for column, value in zip(columns, row, strict=True):
            column.append(value)
    return columns


class Partitioned(Shuffled):
    """Pairs put into the partition that the key's hash names: ``partitionBy``."""

    label = "PartitionedRDD"

    def __init__(self, parent: Node, partitions: int, partition_of: Callable[[Any], int]) -> None:
        super().__init__(parent, partitions)
        self._partition_of = partition_of

    def scatter(self, parent: Node, index: int) -> Sequence[Any]:
        """Lists of pairs."""
        buckets: list[list[Any]] = [[] for _ in range(self.partitions)]
        for pair in drain(parent, index, "rows"):
            buckets[self._partition_of(pair[0]) % self.partitions].append(pair)
        return buckets


class Combined(Shuffled):
    """One combined value for each key: every parent partition is combined by one fused loop into a dict, then the
    dicts are merged by key partition."""

    label = "ShuffledRDD"

    def __init__(
        self,
        parent: Node,
        partitions: int,
        partition_of: Callable[[Any], int],
        merge: Callable[[Any, Any], Any],
        sink: str,
        *functions: Callable[..., Any],
    ) -> None:
        """``sink`` is one of the keyed sinks of `fuse` with its ``functions``; ``merge`` joins two combined values."""
        super().__init__(parent, partitions)
        self._partition_of = partition_of
        self._merge = merge
        self._sink = sink
        self._functions = functions

    def scatter(self, parent: Node, index: int) -> Sequence[Any]:
        """Dicts of combined values."""
        combined = drain(parent, index, self._sink, *self._functions)
        if self.partitions == 1:
            return [combined]
        partition_of, count = self._partition_of, self.partitions
        buckets: list[dict[Any, Any]] = [{} for _ in range(count)]
        for key, value in combined.items():
            buckets[partition_of(key) % count][key] = value
        return buckets

    def gather(self, buckets: Iterable[Any]) -> Iterable[Any]:
        """A dict view, so that pairs are made only when they are read."""
        merge = self._merge
        remaining = iter(buckets)
        out: dict[Any, Any] = next(remaining, {})
        for bucket in remaining:
            for key, value in bucket.items():
                out[key] = merge(out[key], value) if key in out else value
        return out.items()


class Dealt(Shuffled):
    """The elements dealt out evenly, as cards are: ``repartition``."""

    label = "RepartitionedRDD"

    def scatter(self, parent: Node, index: int) -> Sequence[Any]:
        """Every n-th element to the same partition, from another one on in each parent partition."""
        rows = drain(parent, index, "list")
        return [rows[(number - index) % self.partitions :: self.partitions] for number in range(self.partitions)]


class Sorted(Shuffled):
    """All rows in order, in one partition."""

    label = "SortedRDD"

    def __init__(self, parent: Node, key: Callable[[Any], Any], ascending: bool) -> None:
        super().__init__(parent, 1)
        self._key = key
        self._ascending = ascending

    def scatter(self, parent: Node, index: int) -> Sequence[Any]:
        """One sorted run."""
        return [self._in_order(drain(parent, index, "list"))]

    def gather(self, buckets: Iterable[Any]) -> Iterable[Any]:
        """The runs merged; the order of rows with equal keys is kept."""
        return self._in_order(list(chain.from_iterable(buckets)))

    def _in_order(self, rows: list[Any]) -> list[Any]:
        rows.sort(key=self._key, reverse=not self._ascending)
        return rows


class Cut(Shuffled):
    """Sorted rows cut into partitions of about equal size so that equal keys stay together."""

    label = "CutRDD"

    def __init__(self, parent: Sorted, partitions: int, key: Callable[[Any], Any]) -> None:
        super().__init__(parent, partitions)
        self._key = key

    def scatter(self, parent: Node, index: int) -> Sequence[Any]:
        """The pieces."""
        rows: list[Any] = drain(parent, index, "list")
        cuts = [0]
        for number in range(1, self.partitions):
            cut = max(number * len(rows) // self.partitions, cuts[-1])
            while 0 < cut < len(rows) and self._key(rows[cut - 1]) == self._key(rows[cut]):
                cut += 1
            cuts.append(cut)
        cuts.append(len(rows))
        return [rows[cuts[number] : cuts[number + 1]] for number in range(self.partitions)]


def sorted_by(parent: Node, partitions: int, key: Callable[[Any], Any], ascending: bool) -> Node:
    """The rows in the order of ``key``, cut into ``partitions``."""
    whole = Sorted(parent, key, ascending)
    return whole if partitions == 1 else Cut(whole, partitions, key)
