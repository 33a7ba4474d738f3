"""The RDDs of a stream's last batches, for `DStream.slice`."""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from millstream.rdd import RDD
    from millstream.streaming.context import StreamingContext


class Remembered:
    """Nothing is kept unless the context is told to remember."""

    def __init__(self, ssc: StreamingContext) -> None:
        self._ssc = ssc
        self._lock = Lock()
        self._batches: deque[tuple[int, RDD[Any]]] = deque()

    def add(self, time_ms: int, rdd: RDD[Any]) -> None:
        """Keeps a batch, once, and lets go of those that are too old."""
        length_ms = self._ssc._remember_ms
        if length_ms is None:
            return
        with self._lock:
            if not self._batches or self._batches[-1][0] < time_ms:
                self._batches.append((time_ms, rdd))
            while self._batches[0][0] <= time_ms - length_ms:
                self._batches.popleft()

    def between(self, first_ms: int, last_ms: int) -> list[RDD[Any]]:
        """The batches from one time to the other, both included."""
        with self._lock:
            return [rdd for time_ms, rdd in self._batches if first_ms <= time_ms <= last_ms]
