"""A stream from RDDs that are there before it starts: for tests and examples."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from millstream.streaming.source import Source

if TYPE_CHECKING:
    from millstream.context import SparkContext
    from millstream.rdd import RDD


class QueueSource(Source):
    """Gives one queued RDD to each batch, or all of them to the first; then the default, or an empty RDD.

    Queued RDDs have no checkpoint, and are not given again. As in Spark, a graceful stop does not wait for the rest of
    the queue.
    """

    label = "queue"

    def __init__(
        self, sc: SparkContext, rdds: Iterable[RDD[Any]], one_at_a_time: bool, default: RDD[Any] | None
    ) -> None:
        self._sc = sc
        self._waiting = deque(rdds)
        self._one_at_a_time = one_at_a_time
        self._default = default

    def cut(self, time_ms: int) -> tuple[RDD[Any], int]:
        """The dataset of the batch. Its records are not counted, since that would compute it."""
        if not self._waiting:
            return (self._default if self._default is not None else self._sc.emptyRDD()), 0
        if self._one_at_a_time:
            return self._waiting.popleft(), 0
        rdds = list(self._waiting)
        self._waiting.clear()
        return self._sc.union(rdds), 0
