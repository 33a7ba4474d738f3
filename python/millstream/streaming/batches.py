"""The last batches of a stream, as far back as a window reaches."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from millstream.rdd import RDD
from millstream.rdd.partitions import Node
from millstream.streaming.keyed_state import Changes

if TYPE_CHECKING:
    from millstream.context import SparkContext


class Rows(Node):
    """Partitions that are there already."""

    label = "SavedRDD"

    def __init__(self, partitions: list[list[Any]]) -> None:
        super().__init__(len(partitions))
        self.lists = partitions

    def compute(self, index: int) -> Iterable[Any]:
        """The partition."""
        return self.lists[index]


class Batches:
    """The RDDs of one stream by their batch times.

    Where there is a checkpoint directory they are saved with their batch, as pairs of time and partitions, and are
    plain rows from then on that know nothing of where they came from.
    """

    def __init__(self, sc: SparkContext, length_ms: int) -> None:
        self._sc = sc
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
            (time_ms, RDD(Rows(rows[time_ms]), self._sc) if time_ms in rows else rdd) for time_ms, rdd in self._batches
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
        self._batches = deque((time_ms, RDD(Rows(known[time_ms]), self._sc)) for time_ms in sorted(known))
        self._saved = set(known)

    def _rows(self, rdd: RDD[Any]) -> list[list[Any]]:
        return [list(rdd._node.rows(index)) for index in range(rdd.getNumPartitions())]
