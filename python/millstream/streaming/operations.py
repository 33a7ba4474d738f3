"""Operations on streams of any elements. A stream is a series of RDDs, one a batch."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from datetime import datetime
from operator import add
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from millstream.storagelevel import StorageLevel
from millstream.streaming.output import print_batch, save_batch
from millstream.streaming.remembered import Remembered
from millstream.streaming.util import argument_count, epoch_ms, with_time

if TYPE_CHECKING:
    from millstream.rdd import RDD
    from millstream.streaming.context import StreamingContext
    from millstream.streaming.dstream import DStream

T = TypeVar("T")
U = TypeVar("U")
K = TypeVar("K", bound=Hashable)


class StreamOperations(Generic[T]):
    """``preservesPartitioning`` changes no result and is not read."""

    def __init__(self, ssc: StreamingContext, stream: int, slide_ms: int) -> None:
        """``slide_ms``: from one RDD of the stream to the next."""
        self._ssc = ssc
        self._sc = ssc.sparkContext
        self._stream = stream
        self._slide_ms = slide_ms
        self._level: StorageLevel | None = None
        self._checkpoint_ms: int | None = None
        self._remembered = Remembered(ssc)

    def context(self) -> StreamingContext:
        """The context the stream belongs to."""
        return self._ssc

    def _itself(self) -> DStream[T]:
        return cast("DStream[T]", self)

    def _each(self, function: Callable[[RDD[Any]], RDD[Any]]) -> DStream[Any]:
        return self._ssc._derive([self._itself()], lambda _, rdd: function(rdd))

    def _ready(self, time_ms: int, rdd: Any) -> Any:
        """The RDD of a batch as those who read this stream get it."""
        if self._level is not None and not rdd.is_cached:
            self._ssc._datasets.keep(time_ms, rdd, self._level)
        self._remembered.add(time_ms, rdd)
        return rdd

    def map(self, f: Callable[[T], U], preservesPartitioning: bool = False) -> DStream[U]:
        """Applies ``f`` to each element."""
        return self._each(lambda rdd: rdd.map(f))

    def flatMap(self, f: Callable[[T], Iterable[U]], preservesPartitioning: bool = False) -> DStream[U]:
        """Applies ``f`` to each element and joins the iterables it returns."""
        return self._each(lambda rdd: rdd.flatMap(f))

    def filter(self, f: Callable[[T], Any]) -> DStream[T]:
        """Keeps the elements for which ``f`` is true."""
        return self._each(lambda rdd: rdd.filter(f))

    def mapPartitions(self, f: Callable[[Iterable[T]], Iterable[U]], preservesPartitioning: bool = False) -> DStream[U]:
        """Applies ``f`` to an iterator over each partition."""
        return self._each(lambda rdd: rdd.mapPartitions(f))

    def mapPartitionsWithIndex(
        self, f: Callable[[int, Iterable[T]], Iterable[U]], preservesPartitioning: bool = False
    ) -> DStream[U]:
        """Applies ``f`` to the number of each partition and an iterator over it."""
        return self._each(lambda rdd: rdd.mapPartitionsWithIndex(f))

    def glom(self) -> DStream[list[T]]:
        """Each partition as one list."""
        return self._each(lambda rdd: rdd.glom())

    def repartition(self, numPartitions: int) -> DStream[T]:
        """Batches of exactly ``numPartitions`` partitions."""
        return self._each(lambda rdd: rdd.repartition(numPartitions))

    def count(self) -> DStream[int]:
        """The number of elements of each batch; nothing for a batch without partitions, as in PySpark."""
        return self.mapPartitions(lambda rows: [sum(1 for _ in rows)]).reduce(add)

    def reduce(self, func: Callable[[T, T], T]) -> DStream[T]:
        """The elements of each batch joined by ``func``; nothing for an empty batch."""
        return self._each(lambda rdd: self._ssc._datasets.reduced(rdd, func))

    def countByValue(self) -> DStream[tuple[T, int]]:
        """How often each element occurs in each batch."""
        return self.map(lambda x: (x, 1))._each(lambda rdd: rdd.reduceByKey(add, self._sc.defaultParallelism))

    def union(self, other: DStream[U]) -> DStream[T | U]:
        """One stream of the elements of both."""
        if self._slide_ms != other._slide_ms:
            raise ValueError("the two DStream should have same slide duration")
        return self.transformWith(lambda mine, others: mine.union(others), other)

    def transform(self, func: Callable[..., RDD[U] | None]) -> DStream[U]:
        """A stream of what ``func(rdd)`` or ``func(time, rdd)`` makes of each batch's RDD."""
        assert argument_count(func) in (1, 2), "func should take one or two arguments"
        return self._ssc._derive([self._itself()], with_time(func, 1))

    def transformWith(
        self, func: Callable[..., RDD[U] | None], other: DStream[Any], keepSerializer: bool = False
    ) -> DStream[U]:
        """A stream of what ``func(rdd, other)`` or ``func(time, rdd, other)`` makes of the RDDs of two streams."""
        assert argument_count(func) in (2, 3), "func should take two or three arguments"
        return self._ssc._derive([self._itself(), other], with_time(func, 2))

    def foreachRDD(self, func: Callable[..., Any]) -> None:
        """Runs ``func(rdd)`` or ``func(time, rdd)`` for each batch: an output operation."""
        self._ssc._output(self._itself(), with_time(func, 1), "foreachRDD")

    def pprint(self, num: int = 10) -> None:
        """Prints the first ``num`` elements of each batch: an output operation."""
        self._ssc._output(self._itself(), lambda time, rdd: print_batch(time, rdd, num), "pprint")

    def saveAsTextFiles(self, prefix: str, suffix: str | None = None) -> None:
        """Saves each batch as text in the directory ``prefix-<ms>[.suffix]``: an output operation."""
        self._ssc._output(self._itself(), lambda time, rdd: save_batch(time, rdd, prefix, suffix), "saveAsTextFiles")

    def cache(self) -> DStream[T]:
        """Keeps each batch's RDD while the batch runs, so that several outputs compute it once."""
        return self.persist(StorageLevel.MEMORY_ONLY)

    def persist(self, storageLevel: StorageLevel) -> DStream[T]:
        """As `cache`; every level means memory here."""
        self._level = storageLevel
        return self._itself()

    def checkpoint(self, interval: float) -> DStream[T]:
        """Checks ``interval`` (seconds) as Spark does. It changes nothing else: state is saved with every batch."""
        self._ssc._check_not_started("Cannot change checkpoint interval of a DStream")
        self._checkpoint_ms = int(interval * 1000)
        self._ssc._checkpointed.append(self)
        return self.persist(self._level or StorageLevel.MEMORY_ONLY)

    def slice(self, begin: datetime | float, end: datetime | float) -> list[RDD[T]]:
        """The RDDs of the batches from ``begin`` to ``end``, both included (local time, or seconds since the epoch), as
        far as `StreamingContext.remember` reaches back."""
        first, last = (self._ssc._grid.floor(epoch_ms(time), self._slide_ms) for time in (begin, end))
        return self._remembered.between(first, last)
