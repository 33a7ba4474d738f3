"""Windows: streams of the RDDs of the last few batches.

A window is computed anew at each slide from its batches, which are kept for as long as it reaches back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, TypeVar

from millstream.errors import PySparkNotImplementedError
from millstream.storagelevel import StorageLevel
from millstream.streaming.operations import T
from millstream.streaming.pair import PairStreamOperations

if TYPE_CHECKING:
    from millstream.rdd import RDD
    from millstream.streaming.dstream import DStream

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class WindowOperations(PairStreamOperations[T]):
    """Durations are in seconds and must be multiples of the stream's slide, which is the batch duration at first."""

    def window(self, windowDuration: float, slideDuration: float | None = None) -> DStream[T]:
        """The elements of the last ``windowDuration`` seconds, every ``slideDuration`` seconds (default: one slide of
        the stream)."""
        length_ms = self._window_ms("windowDuration", windowDuration)
        slide_ms = self._slide_ms if slideDuration is None else self._window_ms("slideDuration", slideDuration)
        if self._level is None:
            # Each batch is in several windows.
            self._level = StorageLevel.MEMORY_ONLY
        batches = Window(length_ms)

        def compute(time_ms: int, rdd: RDD[Any] | None) -> RDD[Any] | None:
            batches.move(time_ms, rdd)
            return self._sc.union(batches.rdds()) if self._ssc._is_slide(time_ms, slide_ms) else None

        return self._ssc._derive_always(self._itself(), compute, slide_ms)

    def reduceByWindow(
        self,
        reduceFunc: Callable[[T, T], T],
        invReduceFunc: Callable[[T, T], T] | None,
        windowDuration: float,
        slideDuration: float,
    ) -> DStream[T]:
        """The elements of each window joined by ``reduceFunc``; ``invReduceFunc`` must be None."""
        _refuse_inverse("reduceByWindow", invReduceFunc)
        return self.reduce(reduceFunc).window(windowDuration, slideDuration).reduce(reduceFunc)

    def reduceByKeyAndWindow(
        self: WindowOperations[tuple[K, V]],
        func: Callable[[V, V], V],
        invFunc: Callable[[V, V], V] | None,
        windowDuration: float,
        slideDuration: float | None = None,
        numPartitions: int | None = None,
        filterFunc: Callable[[tuple[K, V]], bool] | None = None,
    ) -> DStream[tuple[K, V]]:
        """The values of each key in each window joined by ``func``; ``invFunc`` must be None, and ``filterFunc`` goes
        with it alone, as in PySpark."""
        _refuse_inverse("reduceByKeyAndWindow", invFunc)
        reduced = self.reduceByKey(func, numPartitions)
        return reduced.window(windowDuration, slideDuration).reduceByKey(func, numPartitions)

    def _window_ms(self, name: str, duration: float) -> int:
        duration_ms = int(duration * 1000)
        if duration_ms <= 0 or duration_ms % self._slide_ms:
            raise ValueError(
                f"{name} must be multiple of the parent dstream's slide (batch) duration ({self._slide_ms} ms)"
            )
        return duration_ms


def _refuse_inverse(name: str, function: Callable[..., Any] | None) -> None:
    if function is not None:
        raise PySparkNotImplementedError(
            f"{name} with an inverse function is not implemented in Millstream yet: pass None, and each window is "
            "computed from its batches"
        )


class Window:
    """The RDDs of one stream in the time that a window reaches back."""

    def __init__(self, length_ms: int) -> None:
        self._length_ms = length_ms
        self._batches: deque[tuple[int, RDD[Any]]] = deque()

    def move(self, time_ms: int, rdd: RDD[Any] | None) -> None:
        """Lets the window end with the batch of a time, and that batch in if it has an RDD."""
        if rdd is not None:
            self._batches.append((time_ms, rdd))
        while self._batches and self._batches[0][0] <= time_ms - self._length_ms:
            self._batches.popleft()

    def rdds(self) -> list[RDD[Any]]:
        """What is in the window, the oldest first."""
        return [rdd for _, rdd in self._batches]
