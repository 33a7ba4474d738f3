"""Datasets whose rows move between partitions by key or by order. They are computed once and kept by the node."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from millstream.rdd.partitions import Node, drain


class Shuffled(Node):
    """All output partitions are made together, when the first of them is asked for."""

    def __init__(self, parent: Node, partitions: int) -> None:
        super().__init__(partitions, (parent,))
        self.parent = parent
        self._made: Sequence[Iterable[Any]] | None = None

    def compute(self, index: int) -> Iterable[Any]:
        """One of the output partitions."""
        if self._made is None:
            self._made = self.shuffle()
        return self._made[index]

    def shuffle(self) -> Sequence[Iterable[Any]]:
        """Makes the output partitions."""
        raise NotImplementedError

    def all_rows(self) -> list[Any]:
        """The rows of all parent partitions, in order."""
        rows: list[Any] = []
        for index in range(self.parent.partitions):
            rows += drain(self.parent, index, "list")
        return rows


class Partitioned(Shuffled):
    """Pairs put into the partition that the key's hash names: ``partitionBy``."""

    label = "PartitionedRDD"

    def __init__(self, parent: Node, partitions: int, partition_of: Callable[[Any], int]) -> None:
        super().__init__(parent, partitions)
        self._partition_of = partition_of

    def shuffle(self) -> Sequence[Iterable[Any]]:
        """Pairs in the order of the parent's partitions."""
        buckets: list[list[Any]] = [[] for _ in range(self.partitions)]
        for index in range(self.parent.partitions):
            for pair in drain(self.parent, index, "rows"):
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

    def shuffle(self) -> Sequence[Iterable[Any]]:
        """Dict views, so that pairs are made only when they are read."""
        merged: list[dict[Any, Any]] = [{} for _ in range(self.partitions)]
        for index in range(self.parent.partitions):
            self._merge_into(merged, drain(self.parent, index, self._sink, *self._functions))
        return [part.items() for part in merged]

    def _merge_into(self, merged: list[dict[Any, Any]], combined: dict[Any, Any]) -> None:
        partition_of, merge, count = self._partition_of, self._merge, self.partitions
        if count == 1 and not merged[0]:
            merged[0] = combined
            return
        out = merged[0]
        for key, value in combined.items():
            if count > 1:
                out = merged[partition_of(key) % count]
            out[key] = merge(out[key], value) if key in out else value


class Dealt(Shuffled):
    """The elements dealt out evenly, as cards are: ``repartition``."""

    label = "RepartitionedRDD"

    def shuffle(self) -> Sequence[Iterable[Any]]:
        """Every n-th element to the same partition."""
        rows = self.all_rows()
        return [rows[index :: self.partitions] for index in range(self.partitions)]


class Sorted(Shuffled):
    """Rows in order, cut into partitions so that equal keys stay together."""

    label = "SortedRDD"

    def __init__(self, parent: Node, partitions: int, key: Callable[[Any], Any], ascending: bool) -> None:
        super().__init__(parent, partitions)
        self._key = key
        self._ascending = ascending

    def shuffle(self) -> Sequence[Iterable[Any]]:
        """Sorts everything; the order of rows with equal keys is kept."""
        rows = self.all_rows()
        rows.sort(key=self._key, reverse=not self._ascending)
        cuts = [0]
        for index in range(1, self.partitions):
            cut = max(index * len(rows) // self.partitions, cuts[-1])
            while 0 < cut < len(rows) and self._key(rows[cut - 1]) == self._key(rows[cut]):
                cut += 1
            cuts.append(cut)
        cuts.append(len(rows))
        return [rows[cuts[index] : cuts[index + 1]] for index in range(self.partitions)]
