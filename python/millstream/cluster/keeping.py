"""Which RDDs of a Spark cluster are persisted, and until when.

Spark keeps a persisted RDD until the JVM's garbage collector finds it, which may be never. Here it goes as soon as
nothing in this process refers to it, as with RDDs of our own: when its batch is over and no window holds it.
"""

from __future__ import annotations

import weakref
from queue import Empty, SimpleQueue
from typing import Any


class Kept:
    """The persisted RDDs of one context."""

    def __init__(self) -> None:
        self._time_ms = 0
        #: Held as long as their batch runs. What Spark makes of an RDD holds it in the JVM only.
        self._of_batch: list[Any] = []
        #: JVM objects of those that are to go. They are put here by the garbage collector, in the midst of anything.
        self._gone: SimpleQueue[Any] = SimpleQueue()

    def keep(self, time_ms: int, rdd: Any, level: Any) -> None:
        """Persists an RDD of a batch, and lets those go that only earlier batches needed."""
        if time_ms > self._time_ms:
            self._time_ms = time_ms
            self._of_batch.clear()
            self._unpersist()
        rdd.persist(level)
        self._of_batch.append(rdd)
        weakref.finalize(rdd, self._gone.put, rdd._jrdd).atexit = False

    def _unpersist(self) -> None:
        while True:
            try:
                jrdd = self._gone.get_nowait()
            except Empty:
                return
            jrdd.unpersist(False)
