"""Operations on two datasets: their products, sums and differences."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from itertools import product
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

    def zipWithUniqueId(self) -> RDD[tuple[T, int]]:
        """Pairs of the element and a number: those of partition k of n are k, n + k, 2 * n + k..."""
        count = self.getNumPartitions()
        return self.mapPartitionsWithIndex(
            lambda index, rows: ((row, place * count + index) for place, row in enumerate(rows))
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

        def sides(values: list[tuple[int, Any]]) -> tuple[ResultIterable[Any], ...]:
            lists: list[list[Any]] = [[] for _ in datasets]
            for at, value in values:
                lists[at].append(value)
            return tuple(map(ResultIterable, lists))

        return self.ctx.union(tagged).groupByKey()._step("mapValues", sides)


class Cartesian(Node):
    """A partition for each pair of partitions."""

    label = "CartesianRDD"

    def __init__(self, left: Node, right: Node) -> None:
        super().__init__(left.partitions * right.partitions, (left, right))

    def compute(self, index: int) -> Iterable[Any]:
        """The right one is read once."""
        left, right = self.parents
        return product(left.rows(index // right.partitions), right.rows(index % right.partitions))


class Zipped(Node):
    """Two datasets side by side."""

    label = "ZippedPartitionsRDD2"

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
