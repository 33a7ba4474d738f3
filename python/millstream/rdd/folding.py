"""More ways to join the values of keys, and all elements of an RDD."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from copy import deepcopy
from typing import TYPE_CHECKING, Any, TypeVar

from millstream.errors import PySparkValueError
from millstream.rdd.base import T
from millstream.rdd.hashing import portable_hash
from millstream.rdd.pair import PairOperations

if TYPE_CHECKING:
    from millstream.rdd.rdd import RDD

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
U = TypeVar("U")


class FoldingOperations(PairOperations[T]):
    """A zero value is copied for each key or partition: functions may change what they are given first."""

    def foldByKey(
        self: FoldingOperations[tuple[K, V]],
        zeroValue: V,
        func: Callable[[V, V], V],
        numPartitions: int | None = None,
        partitionFunc: Callable[[K], int] = portable_hash,
    ) -> RDD[tuple[K, V]]:
        """The values of each key joined by ``func``, beginning with ``zeroValue`` in each partition."""
        return self.aggregateByKey(zeroValue, func, func, numPartitions, partitionFunc)

    def aggregateByKey(
        self: FoldingOperations[tuple[K, V]],
        zeroValue: U,
        seqFunc: Callable[[U, V], U],
        combFunc: Callable[[U, U], U],
        numPartitions: int | None = None,
        partitionFunc: Callable[[K], int] = portable_hash,
    ) -> RDD[tuple[K, U]]:
        """The values of each key joined into a value of another type, within partitions by ``seqFunc`` from
        ``zeroValue`` on, then these by ``combFunc``."""
        return self.combineByKey(
            lambda value: seqFunc(deepcopy(zeroValue), value), seqFunc, combFunc, numPartitions, partitionFunc
        )

    def reduceByKeyLocally(self: FoldingOperations[tuple[K, V]], func: Callable[[V, V], V]) -> dict[K, V]:
        """The values of each key joined by ``func``, as a dict."""
        return self.reduceByKey(func, 1).collectAsMap()

    def repartitionAndSortWithinPartitions(
        self: FoldingOperations[tuple[K, V]],
        numPartitions: int | None = None,
        partitionFunc: Callable[[K], int] = portable_hash,
        ascending: bool = True,
        keyfunc: Callable[[K], Any] = lambda key: key,
    ) -> RDD[tuple[K, V]]:
        """The pairs in partition ``partitionFunc(key) % numPartitions``, each partition in the order of ``keyfunc``."""
        return self.partitionBy(numPartitions, partitionFunc).mapPartitions(
            lambda pairs: sorted(pairs, key=lambda pair: keyfunc(pair[0]), reverse=not ascending)
        )

    def treeReduce(self, f: Callable[[T, T], T], depth: int = 2) -> T:
        """As `reduce`: in one process a tree has no use, whatever its ``depth``."""
        _check_depth(depth)
        if self.isEmpty():
            raise ValueError("Cannot reduce empty RDD.")
        return self.reduce(f)

    def treeAggregate(self, zeroValue: U, seqOp: Callable[[U, T], U], combOp: Callable[[U, U], U], depth: int = 2) -> U:
        """As `aggregate`, but ``zeroValue`` goes into each partition alone."""
        _check_depth(depth)
        parts = self.mapPartitions(lambda rows: [_joined(rows, deepcopy(zeroValue), seqOp)])
        return parts.reduce(combOp) if parts.getNumPartitions() else zeroValue


def _joined(rows: Any, value: Any, function: Callable[[Any, Any], Any]) -> Any:
    for row in rows:
        value = function(value, row)
    return value


def _check_depth(depth: int) -> None:
    if depth < 1:
        raise PySparkValueError(f"Depth cannot be smaller than 1 but got {depth}.")
