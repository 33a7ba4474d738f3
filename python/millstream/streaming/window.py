"""Windows: streams of the RDDs of the last few batches."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from operator import add, sub
from typing import TYPE_CHECKING, Any, TypeVar

from millstream.rdd import ResultIterable, portable_hash
from millstream.storagelevel import StorageLevel
from millstream.streaming.batches import Batches
from millstream.streaming.inverse_window import FEWEST_SLIDES, InverseWindow, add_and_take_off
from millstream.streaming.keyed_state import KeyedState
from millstream.streaming.operations import T
from millstream.streaming.pair import PairStreamOperations

if TYPE_CHECKING:
    from millstream.rdd import RDD
    from millstream.streaming.dstream import DStream

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class WindowOperations(PairStreamOperations[T]):
    """Durations are in seconds and must be multiples of the stream's slide, which is the batch duration at first.

    Operations with an inverse function need a checkpoint directory, as in Spark.
    """

    def window(self, windowDuration: float, slideDuration: float | None = None) -> DStream[T]:
        """The elements of the last ``windowDuration`` seconds, every ``slideDuration`` seconds (default: one slide of
        the stream)."""
        length_ms, slide_ms = self._window_ms(windowDuration, slideDuration)
        datasets = self._ssc._datasets
        batches = Batches(datasets, length_ms)
        self._ssc._states.add("window", batches)
        return self._over(
            batches, slide_ms, lambda time_ms: datasets.union(batches.between(time_ms - length_ms, time_ms))
        )

    def reduceByWindow(
        self,
        reduceFunc: Callable[[T, T], T],
        invReduceFunc: Callable[[T, T], T] | None,
        windowDuration: float,
        slideDuration: float,
    ) -> DStream[T]:
        """The elements of each window joined by ``reduceFunc``; with ``invReduceFunc`` as `reduceByKeyAndWindow`."""
        keyed: DStream[tuple[int, Any]] = self.map(lambda x: (1, x))
        reduced = keyed.reduceByKeyAndWindow(reduceFunc, invReduceFunc, windowDuration, slideDuration, 1)
        return reduced.map(lambda pair: pair[1])

    def countByWindow(self, windowDuration: float, slideDuration: float) -> DStream[int]:
        """The number of elements in each window."""
        return self.map(lambda _: 1).reduceByWindow(add, sub, windowDuration, slideDuration)

    def countByValueAndWindow(
        self, windowDuration: float, slideDuration: float, numPartitions: int | None = None
    ) -> DStream[tuple[T, int]]:
        """How often each element occurs in each window."""
        keyed: DStream[tuple[Any, int]] = self.map(lambda x: (x, 1))
        return keyed.reduceByKeyAndWindow(
            add, sub, windowDuration, slideDuration, numPartitions, lambda pair: pair[1] > 0
        )

    def groupByKeyAndWindow(
        self: WindowOperations[tuple[K, V]],
        windowDuration: float,
        slideDuration: float,
        numPartitions: int | None = None,
    ) -> DStream[tuple[K, ResultIterable[V]]]:
        """All values of each key in each window, the oldest first."""
        lists: DStream[tuple[K, list[V]]] = self.mapValues(lambda value: [value])
        grouped = lists.reduceByKeyAndWindow(
            lambda older, newer: older + newer,
            lambda all_, oldest: all_[len(oldest) :],
            windowDuration,
            slideDuration,
            numPartitions,
        )
        return grouped.mapValues(ResultIterable)

    def reduceByKeyAndWindow(
        self: WindowOperations[tuple[K, V]],
        func: Callable[[V, V], V],
        invFunc: Callable[[V, V], V] | None,
        windowDuration: float,
        slideDuration: float | None = None,
        numPartitions: int | None = None,
        filterFunc: Callable[[tuple[K, V]], bool] | None = None,
    ) -> DStream[tuple[K, V]]:
        """The values of each key in each window joined by ``func``.

        With ``invFunc`` a window of five slides or more is made from the one before: values that go out are taken off,
        those that come in are added. A key then stays after its last value has gone, unless ``filterFunc`` drops it.
        """
        length_ms, slide_ms = self._window_ms(windowDuration, slideDuration)
        reduced = self.reduceByKey(func, numPartitions)
        if invFunc is None:
            return reduced.window(windowDuration, slideDuration).reduceByKey(func, numPartitions)
        partitions = self._partitions(numPartitions)
        datasets = self._ssc._datasets
        name = "reduceByKeyAndWindow"

        def joined(rdds: list[RDD[Any]]) -> RDD[Any]:
            if len(rdds) == 1 and rdds[0].getNumPartitions() == partitions:
                return rdds[0]
            return datasets.union(rdds).reduceByKey(func, partitions, portable_hash)

        batches = Batches(datasets, length_ms + slide_ms)
        self._ssc._keep(f"{name} batches", batches)
        if length_ms < FEWEST_SLIDES * slide_ms:

            def anew(time_ms: int) -> RDD[Any]:
                totals = joined(batches.between(time_ms - length_ms, time_ms))
                return totals if filterFunc is None else totals.filter(filterFunc)

            return reduced._over(batches, slide_ms, anew)
        totals = KeyedState(partitions)
        # Totals of other windows, or in other steps, are of no use to a new version of the program.
        self._ssc._keep(f"{name} {length_ms} {slide_ms} {self._slide_ms}", totals)
        advance = add_and_take_off(func, invFunc, filterFunc)
        window = InverseWindow(datasets, batches, totals, length_ms, slide_ms, joined, advance)
        return reduced._over(batches, slide_ms, window.at)

    def _over(self, batches: Batches, slide_ms: int, function: Callable[[int], RDD[Any]]) -> DStream[Any]:
        """A stream of what ``function(time in ms)`` makes of this stream's last ``batches`` at each slide."""
        if self._level is None:
            # Each batch is in several windows.
            self._level = StorageLevel.MEMORY_ONLY

        def compute(time_ms: int, rdd: RDD[Any] | None) -> RDD[Any] | None:
            batches.move(time_ms, rdd)
            return function(time_ms) if self._ssc._grid.has(time_ms, slide_ms) else None

        return self._ssc._derive_always(self._itself(), compute, slide_ms)

    def _window_ms(self, window: float, slide: float | None) -> tuple[int, int]:
        """Length and slide of a window."""
        length_ms = self._multiple_ms("windowDuration", window)
        return length_ms, self._slide_ms if slide is None else self._multiple_ms("slideDuration", slide)

    def _multiple_ms(self, name: str, duration: float) -> int:
        duration_ms = int(duration * 1000)
        if duration_ms <= 0 or duration_ms % self._slide_ms:
            raise ValueError(
                f"{name} must be multiple of the parent dstream's slide (batch) duration ({self._slide_ms} ms)"
            )
        return duration_ms
