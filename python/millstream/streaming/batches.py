"""The last batches of a stream, as far back as a window reaches."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from millstream.rdd.partitions import Rows
from millstream.streaming.keyed_state import Changes

if TYPE_CHECKING:
    from millstream.rdd import RDD
    from millstream.streaming.datasets import Datasets


class Batches:
    """The RDDs of one stream by their batch times.

    Where there is a checkpoint directory they are saved with their batch, as pairs of time and partitions.
    """

    def __init__(self, datasets: Datasets, length_ms: int) -> None:
        self._datasets = datasets
        self._length_ms = length_ms
        self._batches: deque[tuple[int, RDD[Any]]] = deque()
        self._saved: set[int] = set()

    def move(self, time_ms: int, rdd: RDD[Any] | None) -> None:
        """Lets the window end with the batch of a time, and that batch in if it has an RDD."""
        if rdd is not None:
            self._batches.append((time_ms, rdd))
        while self._batches and self._batches[0][0] <= time_ms - self._length_ms:
            self._batches.popleft()

    def between(self, after_ms: int, until_ms: int) -> list[RDD[Any]]:
        """The batches after one time and until another, the oldest first."""
        return [rdd for time_ms, rdd in self._batches if after_ms < time_ms <= until_ms]

    def changes(self) -> Changes:
        """The batches that came, computing those that nobody did, and the times of those that went."""
        rows = {time_ms: self._rows(rdd) for time_ms, rdd in self._batches if time_ms not in self._saved}
        self._batches = deque(
            (time_ms, self._datasets.saved(rdd, rows[time_ms]) if time_ms in rows else rdd)
            for time_ms, rdd in self._batches
        )
        times = {time_ms for time_ms, _ in self._batches}
        gone = sorted(self._saved - times)
        self._saved = times
        return Changes(rows, gone)

    def all(self) -> Changes:
        """All batches."""
        return Changes({time_ms: self._rows(rdd) for time_ms, rdd in self._batches}, [])

    def restore(self, known: dict[int, list[list[Any]]]) -> None:
        """Goes on with the batches that an earlier run has saved."""
        self._batches = deque((time_ms, self._datasets.of_node(Rows(known[time_ms]))) for time_ms in sorted(known))
        self._saved = set(known)

    def _rows(self, rdd: RDD[Any]) -> list[list[Any]]:
        node = self._datasets.node(rdd)
        return [list(node.rows(index)) for index in range(node.partitions)]
