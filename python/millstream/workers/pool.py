"""The worker processes of a context: who is idle, who is busy, and that there are never more than N."""

from __future__ import annotations

import atexit
import os
import weakref
from threading import Condition

from millstream.errors import IllegalStateException
from millstream.workers.process import Worker

#: Seconds that an idle worker gets to end by itself.
_GRACE_S = 2.0


class Pool:
    """At most ``size`` workers, started when they are needed. Used by any thread."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._reset()
        self.closed = False
        #: How often all jobs were cancelled; a job that began before the last time is not to go on.
        self.cancelled = 0
        _pools.add(self)
        atexit.register(self.close)

    def _reset(self) -> None:
        self._changed = Condition()
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()

    def take(self, wait: bool) -> Worker | None:
        """A worker for the caller alone: an idle one, or a new one. If all are busy: the next that is given back, or
        None without ``wait``."""
        with self._changed:
            while True:
                self.check_open()
                while self._idle:
                    worker = self._idle.pop()
                    if worker.is_alive():
                        self._busy.add(worker)
                        return worker
                    worker.reap(0)
                if len(self._busy) < self.size:
                    worker = Worker()
                    self._busy.add(worker)
                    return worker
                if not wait:
                    return None
                self._changed.wait()

    def check_open(self) -> None:
        """Raises `IllegalStateException` after `close`."""
        if self.closed:
            raise IllegalStateException("SparkContext was shut down")

    def give_back(self, worker: Worker) -> None:
        """The worker has done its task and waits for the next."""
        with self._changed:
            if worker in self._busy:
                self._busy.remove(worker)
                self._idle.append(worker)
                self._changed.notify()

    def discard(self, worker: Worker, grace_s: float = 0) -> str:
        """Ends a worker whose state is not known, after a while in which it may end by itself; returns how it ended."""
        how = worker.reap(grace_s)
        with self._changed:
            self._busy.discard(worker)
            self._changed.notify()
        return how

    def cancel(self) -> None:
        """Ends the busy workers, whose jobs fail."""
        with self._changed:
            self.cancelled += 1
            busy = list(self._busy)
        for worker in busy:
            worker.kill()

    def close(self) -> None:
        """Ends all workers: the idle ones by themselves, the busy ones at once, whose jobs fail."""
        atexit.unregister(self.close)
        with self._changed:
            self.closed = True
            idle, self._idle = self._idle, []
            busy = list(self._busy)
            self._changed.notify_all()
        for worker in idle:
            worker.dismiss()
        for worker in busy:
            worker.kill()
        for worker in idle:
            worker.reap(_GRACE_S)

    def _forked(self) -> None:
        for worker in [*self._idle, *self._busy]:
            worker.abandon()
        self._reset()


_pools: weakref.WeakSet[Pool] = weakref.WeakSet()


def _after_fork() -> None:
    for pool in _pools:
        pool._forked()


# A forked process has copies of the sockets, and must not talk to its parent's workers.
os.register_at_fork(after_in_child=_after_fork)
