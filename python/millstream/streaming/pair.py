"""Operations on streams of pairs (key, value)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from millstream.rdd import ResultIterable, portable_hash
from millstream.streaming.operations import StreamOperations, T

if TYPE_CHECKING:
    from millstream.streaming.dstream import DStream

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
U = TypeVar("U")


class PairStreamOperations(StreamOperations[T]):
    """The ``byKey`` family, batch by batch. ``numPartitions`` defaults to the context's ``defaultParallelism``."""

    def mapValues(self: PairStreamOperations[tuple[K, V]], f: Callable[[V], U]) -> DStream[tuple[K, U]]:
        """Applies ``f`` to each value."""
        return self._each(lambda rdd: rdd.mapValues(f))

    def flatMapValues(self: PairStreamOperations[tuple[K, V]], f: Callable[[V], Iterable[U]]) -> DStream[tuple[K, U]]:
        """Applies ``f`` to each value and pairs the key with all it returns."""
        return self._each(lambda rdd: rdd.flatMapValues(f))

    def reduceByKey(
        self: PairStreamOperations[tuple[K, V]],
        func: Callable[[V, V], V],
        numPartitions: int | None = None,
    ) -> DStream[tuple[K, V]]:
        """The values of each key joined by ``func``."""
        partitions = self._partitions(numPartitions)
        return self._each(lambda rdd: rdd.reduceByKey(func, partitions, portable_hash))

    def combineByKey(
        self: PairStreamOperations[tuple[K, V]],
        createCombiner: Callable[[V], U],
        mergeValue: Callable[[U, V], U],
        mergeCombiners: Callable[[U, U], U],
        numPartitions: int | None = None,
    ) -> DStream[tuple[K, U]]:
        """The values of each key joined into a combiner."""
        partitions = self._partitions(numPartitions)
        return self._each(
            lambda rdd: rdd.combineByKey(createCombiner, mergeValue, mergeCombiners, partitions, portable_hash)
        )

    def groupByKey(
        self: PairStreamOperations[tuple[K, V]], numPartitions: int | None = None
    ) -> DStream[tuple[K, ResultIterable[V]]]:
        """All values of each key."""
        partitions = self._partitions(numPartitions)
        return self._each(lambda rdd: rdd.groupByKey(partitions, portable_hash))

    def partitionBy(
        self: PairStreamOperations[tuple[K, V]],
        numPartitions: int,
        partitionFunc: Callable[[K], int] = portable_hash,
    ) -> DStream[tuple[K, V]]:
        """The pairs in partition ``partitionFunc(key) % numPartitions``."""
        return self._each(lambda rdd: rdd.partitionBy(numPartitions, partitionFunc))

    def cogroup(
        self: PairStreamOperations[tuple[K, V]],
        other: DStream[tuple[K, U]],
        numPartitions: int | None = None,
    ) -> DStream[tuple[K, tuple[ResultIterable[V], ResultIterable[U]]]]:
        """For each key of either stream's batch, its values here and its values there."""
        return self._with_other("cogroup", other, numPartitions)

    def join(
        self: PairStreamOperations[tuple[K, V]],
        other: DStream[tuple[K, U]],
        numPartitions: int | None = None,
    ) -> DStream[tuple[K, tuple[V, U]]]:
        """All pairs of values for keys that both batches have."""
        return self._with_other("join", other, numPartitions)

    def leftOuterJoin(
        self: PairStreamOperations[tuple[K, V]],
        other: DStream[tuple[K, U]],
        numPartitions: int | None = None,
    ) -> DStream[tuple[K, tuple[V, U | None]]]:
        """As `join`, and None for keys that ``other`` does not have."""
        return self._with_other("leftOuterJoin", other, numPartitions)

    def rightOuterJoin(
        self: PairStreamOperations[tuple[K, V]],
        other: DStream[tuple[K, U]],
        numPartitions: int | None = None,
    ) -> DStream[tuple[K, tuple[V | None, U]]]:
        """As `join`, and None for keys that only ``other`` has."""
        return self._with_other("rightOuterJoin", other, numPartitions)

    def fullOuterJoin(
        self: PairStreamOperations[tuple[K, V]],
        other: DStream[tuple[K, U]],
        numPartitions: int | None = None,
    ) -> DStream[tuple[K, tuple[V | None, U | None]]]:
        """As `join`, and None on either side for keys that the other does not have."""
        return self._with_other("fullOuterJoin", other, numPartitions)

    def _partitions(self, numPartitions: int | None) -> int:
        return self._sc.defaultParallelism if numPartitions is None else numPartitions

    def _with_other(self, operation: str, other: DStream[Any], numPartitions: int | None) -> DStream[Any]:
        partitions = self._partitions(numPartitions)
        return self.transformWith(lambda mine, others: getattr(mine, operation)(others, partitions), other)
