"""Operations on RDDs of pairs (key, value). All are lazy."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from millstream.rdd.actions import Actions
from millstream.rdd.base import T
from millstream.rdd.hashing import portable_hash
from millstream.rdd.resultiterable import ResultIterable
from millstream.rdd.shuffle import Combined, Partitioned, sorted_by

if TYPE_CHECKING:
    from millstream.rdd.rdd import RDD

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
U = TypeVar("U")


class PairOperations(Actions[T]):
    """The ``byKey`` family. ``numPartitions`` defaults to ``spark.default.parallelism`` or the parent's number."""

    def keys(self: PairOperations[tuple[K, V]]) -> RDD[K]:
        """The first of each pair."""
        return self._step("keys")

    def values(self: PairOperations[tuple[K, V]]) -> RDD[V]:
        """The second of each pair."""
        return self._step("values")

    def mapValues(self: PairOperations[tuple[K, V]], f: Callable[[V], U]) -> RDD[tuple[K, U]]:
        """Applies ``f`` to each value."""
        return self._step("mapValues", f)

    def flatMapValues(self: PairOperations[tuple[K, V]], f: Callable[[V], Iterable[U]]) -> RDD[tuple[K, U]]:
        """Applies ``f`` to each value and pairs the key with all it returns."""
        return self._step("flatMapValues", f)

    def partitionBy(
        self: PairOperations[tuple[K, V]],
        numPartitions: int | None,
        partitionFunc: Callable[[K], int] = portable_hash,
    ) -> RDD[tuple[K, V]]:
        """The pairs in partition ``partitionFunc(key) % numPartitions``."""
        partitions = self._reduce_partitions(numPartitions)
        return self._with(Partitioned(self._node, partitions, partitionFunc))

    def reduceByKey(
        self: PairOperations[tuple[K, V]],
        func: Callable[[V, V], V],
        numPartitions: int | None = None,
        partitionFunc: Callable[[K], int] = portable_hash,
    ) -> RDD[tuple[K, V]]:
        """The values of each key joined by ``func``."""
        partitions = self._reduce_partitions(numPartitions)
        return self._with(Combined(self._node, partitions, partitionFunc, func, "reduceByKey", func))

    def combineByKey(
        self: PairOperations[tuple[K, V]],
        createCombiner: Callable[[V], U],
        mergeValue: Callable[[U, V], U],
        mergeCombiners: Callable[[U, U], U],
        numPartitions: int | None = None,
        partitionFunc: Callable[[K], int] = portable_hash,
    ) -> RDD[tuple[K, U]]:
        """The values of each key joined into a combiner, within partitions first."""
        partitions = self._reduce_partitions(numPartitions)
        return self._with(
            Combined(
                self._node,
                partitions,
                partitionFunc,
                mergeCombiners,
                "combineByKey",
                createCombiner,
                mergeValue,
            )
        )

    def groupByKey(
        self: PairOperations[tuple[K, V]],
        numPartitions: int | None = None,
        partitionFunc: Callable[[K], int] = portable_hash,
    ) -> RDD[tuple[K, ResultIterable[V]]]:
        """All values of each key."""
        return self._grouped(numPartitions, partitionFunc)._step("mapValues", ResultIterable)

    def _grouped(self, numPartitions: int | None, partitionFunc: Callable[[Any], int]) -> RDD[Any]:
        partitions = self._reduce_partitions(numPartitions)
        return self._with(Combined(self._node, partitions, partitionFunc, _joined_lists, "groupByKey"))

    def sortByKey(
        self: PairOperations[tuple[K, V]],
        ascending: bool = True,
        numPartitions: int | None = None,
        keyfunc: Callable[[K], Any] = lambda key: key,
    ) -> RDD[tuple[K, V]]:
        """The pairs in the order of ``keyfunc`` of the key."""
        partitions = self._reduce_partitions(numPartitions)
        return self._with(sorted_by(self._node, partitions, lambda pair: keyfunc(pair[0]), ascending))

    def cogroup(
        self: PairOperations[tuple[K, V]], other: RDD[tuple[K, U]], numPartitions: int | None = None
    ) -> RDD[tuple[K, tuple[ResultIterable[V], ResultIterable[U]]]]:
        """For each key of either, its values here and its values there."""
        return self._cogrouped(other, numPartitions)._step(
            "mapValues", lambda sides: (ResultIterable(sides[0]), ResultIterable(sides[1]))
        )

    def join(
        self: PairOperations[tuple[K, V]], other: RDD[tuple[K, U]], numPartitions: int | None = None
    ) -> RDD[tuple[K, tuple[V, U]]]:
        """All pairs of values for keys that both have."""
        return self._joined(other, numPartitions, lambda left, right: (left, right))

    def leftOuterJoin(
        self: PairOperations[tuple[K, V]], other: RDD[tuple[K, U]], numPartitions: int | None = None
    ) -> RDD[tuple[K, tuple[V, U | None]]]:
        """As `join`, and None for keys that ``other`` does not have."""
        return self._joined(other, numPartitions, lambda left, right: (left, right or [None]))

    def rightOuterJoin(
        self: PairOperations[tuple[K, V]], other: RDD[tuple[K, U]], numPartitions: int | None = None
    ) -> RDD[tuple[K, tuple[V | None, U]]]:
        """As `join`, and None for keys that only ``other`` has."""
        return self._joined(other, numPartitions, lambda left, right: (left or [None], right))

    def fullOuterJoin(
        self: PairOperations[tuple[K, V]], other: RDD[tuple[K, U]], numPartitions: int | None = None
    ) -> RDD[tuple[K, tuple[V | None, U | None]]]:
        """As `join`, and None on either side for keys that the other does not have."""
        return self._joined(other, numPartitions, lambda left, right: (left or [None], right or [None]))

    def _joined(
        self,
        other: RDD[Any],
        numPartitions: int | None,
        sides: Callable[[list[Any], list[Any]], tuple[list[Any], list[Any]]],
    ) -> RDD[Any]:
        def products(both: tuple[list[Any], list[Any]]) -> list[tuple[Any, Any]]:
            left, right = sides(*both)
            return [(a, b) for a in left for b in right]

        return self._cogrouped(other, numPartitions)._step("flatMapValues", products)

    def _cogrouped(self, other: RDD[Any], numPartitions: int | None) -> RDD[Any]:
        left: RDD[Any] = self._step("mapValues", lambda value: (0, value))
        right: RDD[Any] = other._step("mapValues", lambda value: (1, value))
        return left.union(right)._grouped(numPartitions, portable_hash)._step("mapValues", _sides)


def _joined_lists(left: list[V], right: list[V]) -> list[V]:
    left += right
    return left


def _sides(tagged: list[tuple[int, Any]]) -> tuple[list[Any], list[Any]]:
    sides: tuple[list[Any], list[Any]] = ([], [])
    for side, value in tagged:
        sides[side].append(value)
    return sides
