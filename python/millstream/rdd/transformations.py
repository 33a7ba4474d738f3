"""Operations that make an RDD from an RDD of any elements. All are lazy."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from millstream.errors import PySparkTypeError
from millstream.rdd.base import RDDBase, T
from millstream.rdd.hashing import portable_hash
from millstream.rdd.partitions import Coalesced
from millstream.rdd.partitions import Union as UnionNode
from millstream.rdd.resultiterable import ResultIterable
from millstream.rdd.shuffle import Combined, Dealt, sorted_by

if TYPE_CHECKING:
    from millstream.rdd.rdd import RDD

U = TypeVar("U")
K = TypeVar("K", bound=Hashable)


class Transformations(RDDBase[T]):
    """Element-wise, partition-wise and whole-dataset operations.

    ``preservesPartitioning`` is there for PySpark's signatures; it changes no result and nothing here reads it.
    """

    def map(self, f: Callable[[T], U], preservesPartitioning: bool = False) -> RDD[U]:
        """Applies ``f`` to each element."""
        return self._step("map", f)

    def flatMap(self, f: Callable[[T], Iterable[U]], preservesPartitioning: bool = False) -> RDD[U]:
        """Applies ``f`` to each element and joins the iterables it returns."""
        return self._step("flatMap", f)

    def filter(self, f: Callable[[T], Any]) -> RDD[T]:
        """Keeps the elements for which ``f`` is true."""
        return self._step("filter", f)

    def mapPartitions(self, f: Callable[[Iterable[T]], Iterable[U]], preservesPartitioning: bool = False) -> RDD[U]:
        """Applies ``f`` to an iterator over each partition."""
        return self._step("partitions", lambda _, rows: f(rows))

    def mapPartitionsWithIndex(
        self, f: Callable[[int, Iterable[T]], Iterable[U]], preservesPartitioning: bool = False
    ) -> RDD[U]:
        """Applies ``f`` to the number of each partition and an iterator over it."""
        return self._step("partitions", f)

    mapPartitionsWithSplit = mapPartitionsWithIndex

    def pipe(self, command: str, env: dict[str, str] | None = None, checkCode: bool = False) -> RDD[str]:
        """The lines that ``command`` prints for each partition, given its elements as lines of its standard input.

        ``env`` is all of its environment. With ``checkCode`` an exit code other than 0 fails the job.
        """
        from millstream.rdd.pipe import piped

        return self.mapPartitions(partial(piped, command, env or {}, checkCode))

    def glom(self) -> RDD[list[T]]:
        """Each partition as one list."""
        return self._step("partitions", lambda _, rows: [list(rows)])

    def keyBy(self, f: Callable[[T], K]) -> RDD[tuple[K, T]]:
        """Pairs of ``f`` of the element and the element."""
        return self._step("keyBy", f)

    def groupBy(
        self,
        f: Callable[[T], K],
        numPartitions: int | None = None,
        partitionFunc: Callable[[K], int] = portable_hash,
    ) -> RDD[tuple[K, ResultIterable[T]]]:
        """The elements grouped by ``f``."""
        return self.keyBy(f).groupByKey(numPartitions, partitionFunc)

    def union(self, other: RDD[U]) -> RDD[T | U]:
        """The partitions of both."""
        if not isinstance(other, RDDBase):
            raise PySparkTypeError(f"union needs an RDD, not {type(other).__name__}")
        return self._with(UnionNode([self._node, other._node]))

    def distinct(self, numPartitions: int | None = None) -> RDD[T]:
        """Each element once."""
        partitions = self._reduce_partitions(numPartitions)
        keyed = self._step("asKey")._node
        combined = Combined(keyed, partitions, portable_hash, _first, "reduceByKey", _first)
        return self._with(combined)._step("keys")

    def sortBy(self, keyfunc: Callable[[T], Any], ascending: bool = True, numPartitions: int | None = None) -> RDD[T]:
        """The elements in the order of ``keyfunc``."""
        return self._with(sorted_by(self._node, self._reduce_partitions(numPartitions), keyfunc, ascending))

    def coalesce(self, numPartitions: int, shuffle: bool = False) -> RDD[T]:
        """Fewer partitions by joining neighbours; with ``shuffle``, any number by dealing the elements out."""
        partitions = self._reduce_partitions(numPartitions)
        return self._with((Dealt if shuffle else Coalesced)(self._node, partitions))

    def repartition(self, numPartitions: int) -> RDD[T]:
        """Exactly ``numPartitions`` partitions of about equal size."""
        return self.coalesce(numPartitions, shuffle=True)


def _first(kept: Any, _: Any) -> Any:
    return kept
