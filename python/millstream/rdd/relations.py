"""Operations on two datasets: their products, sums and differences."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from itertools import accumulate, count, product
from typing import TYPE_CHECKING, Any, TypeVar

from millstream.errors import PySparkValueError
from millstream.rdd.base import T
from millstream.rdd.folding import FoldingOperations
from millstream.rdd.partitions import Node
from millstream.rdd.resultiterable import ResultIterable

if TYPE_CHECKING:
    from millstream.rdd.rdd import RDD

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
U = TypeVar("U")


class RelationOperations(FoldingOperations[T]):
    """``numPartitions`` as for the ``byKey`` family."""

    def cartesian(self, other: RDD[U]) -> RDD[tuple[T, U]]:
        """All pairs of an element here and an element there."""
        return self._with(Cartesian(self._node, other._node))

    def zip(self, other: RDD[U]) -> RDD[tuple[T, U]]:
        """Pairs of the elements at the same place; both must have the same partitions with as many elements."""
        if self.getNumPartitions() != other.getNumPartitions():
            raise PySparkValueError("Can only zip with RDD which has the same number of partitions")
        return self._with(Zipped(self._node, other._node))

    def zipWithIndex(self) -> RDD[tuple[T, int]]:
        """Pairs of the element and its position, by partition and then within it; counts the partitions before the last
        one now, as PySpark does."""
        before = self._some_partitions(range(self.getNumPartitions() - 1), "count")
        starts = list(accumulate(before, initial=0))
        return self.mapPartitionsWithIndex(lambda index, rows: zip(rows, count(starts[index]), strict=False))

    def zipWithUniqueId(self) -> RDD[tuple[T, int]]:
        """Pairs of the element and a number: those of partition k of n are k, n + k, 2 * n + k..."""
        step = self.getNumPartitions()
        return self.mapPartitionsWithIndex(
            lambda index, rows: ((row, place * step + index) for place, row in enumerate(rows))
        )

    def intersection(self, other: RDD[T]) -> RDD[T]:
        """The elements that both have, each once."""
        both = self._step("asKey")._cogrouped(other._step("asKey"), None)
        return both.filter(lambda pair: all(pair[1])).keys()

    def subtract(self, other: RDD[T], numPartitions: int | None = None) -> RDD[T]:
        """The elements that ``other`` does not have."""
        keyed: RDD[tuple[Any, None]] = self._step("asKey")
        return keyed.subtractByKey(other._step("asKey"), numPartitions).keys()

    def subtractByKey(
        self: RelationOperations[tuple[K, V]], other: RDD[tuple[K, Any]], numPartitions: int | None = None
    ) -> RDD[tuple[K, V]]:
        """The pairs whose key ``other`` does not have."""
        both = self._cogrouped(other, numPartitions)
        return both._step("flatMapValues", lambda sides: [] if sides[1] else sides[0])

    def groupWith(
        self: RelationOperations[tuple[K, Any]], other: RDD[tuple[K, Any]], *others: RDD[tuple[K, Any]]
    ) -> RDD[tuple[K, tuple[ResultIterable[Any], ...]]]:
        """For each key of any, its values in each."""
        datasets: list[Any] = [self, other, *others]
        tagged = [rdd._step("mapValues", lambda value, at=at: (at, value)) for at, rdd in enumerate(datasets)]
        number = len(datasets)

        def sides(values: list[tuple[int, Any]]) -> tuple[ResultIterable[Any], ...]:
            lists: list[list[Any]] = [[] for _ in range(number)]
            for at, value in values:
                lists[at].append(value)
            return tuple(map(ResultIterable, lists))

        return self.ctx.union(tagged).groupByKey()._step("mapValues", sides)


class Cartesian(Node):
    """A partition for each pair of partitions."""

    label = "CartesianRDD"
    narrow = True

    def __init__(self, left: Node, right: Node) -> None:
        super().__init__(left.partitions * right.partitions, (left, right))

    def reads(self, index: int) -> Iterable[tuple[Node, int]]:
        """One of each side."""
        left, right = self.parents
        return [(left, index // right.partitions), (right, index % right.partitions)]

    def compute(self, index: int) -> Iterable[Any]:
        """The right one is read once."""
        return product(*(parent.rows(at) for parent, at in self.reads(index)))


class Zipped(Node):
    """Two datasets side by side."""

    label = "ZippedPartitionsRDD2"
    narrow = True

    def __init__(self, left: Node, right: Node) -> None:
        super().__init__(left.partitions, (left, right))

    def compute(self, index: int) -> Iterable[Any]:
        """Finds that the partitions are of two lengths when the shorter one ends."""
        left, right = self.parents
        try:
            yield from zip(left.rows(index), right.rows(index), strict=True)
        except ValueError as error:
            if "argument 2 is" not in str(error):
                raise
            raise PySparkValueError("Can only zip RDDs with same number of elements in each partition") from error
