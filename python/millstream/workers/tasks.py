"""Running tasks on a pool's workers, from the thread that wants their results."""

from __future__ import annotations

import select
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from millstream.accumulators import add_sums
from millstream.errors import PythonException, SparkRuntimeException
from millstream.rdd.packing import unpack
from millstream.workers import frames
from millstream.workers.frames import HEADER, Parser
from millstream.workers.pool import Pool
from millstream.workers.process import Worker

#: Seconds that a worker whose socket has closed gets to end, so that its exit code can be told.
_GRACE_S = 0.5


class Task:
    """Work for one worker: its messages, made anew for each attempt, and how often it has failed."""

    def __init__(self, messages: Callable[[], Iterator[tuple[int, bytes | bytearray]]]) -> None:
        self.messages = messages
        self.failed = 0
        self.lost = 0
        self.results: list[bytearray] = []


class Attempts(NamedTuple):
    """How often a task may run: ``failing`` where its function raises (F of ``local[N,F]``, 1 for ``local[N]``), and
    ``dying`` where its worker dies (``spark.task.maxFailures``)."""

    failing: int = 1
    dying: int = 4


class _Attempt:
    """A task on a worker: sends and receives what it can without waiting."""

    def __init__(self, task: Task, worker: Worker) -> None:
        self.task = task
        self.worker = worker
        self.answer: tuple[int, bytearray] | None = None
        self._messages = task.messages()
        self._buffers: deque[memoryview] = deque()
        self._parser = Parser()
        self._parts: list[bytearray] = []
        self._sent_all = False

    def send(self) -> bool:
        """Whether there is more to send."""
        while self._buffers or self._refill():
            try:
                sent = self.worker.connection.sendmsg(self._buffers)
            except BlockingIOError:
                return True
            while self._buffers and sent >= len(self._buffers[0]):
                sent -= len(self._buffers.popleft())
            if sent:
                self._buffers[0] = self._buffers[0][sent:]
        return False

    def _refill(self) -> bool:
        if self._sent_all:
            return False
        # Small messages go together, large ones one by one.
        size = 0
        for kind, payload in self._messages:
            self._buffers.append(memoryview(HEADER.pack(kind, len(payload))))
            if payload:
                self._buffers.append(memoryview(payload))
            size += len(payload)
            if size > 1 << 16 or len(self._buffers) > 100:
                return True
        self._sent_all = True
        return bool(self._buffers)

    def receive(self) -> bool:
        """Whether the task has ended, one way or another: `answer` says which."""
        while True:
            try:
                message = self._parser.feed(self.worker.connection)
            except BlockingIOError:
                return False
            if message is None:
                continue
            kind, payload = message
            if kind != frames.PART:
                self.task.results = self._parts
                self.answer = message
                return True
            self._parts.append(payload)


def run(pool: Pool, tasks: Sequence[Task], attempts: Attempts) -> list[list[bytearray]]:
    """The results of all tasks, in their order.

    Raises `PythonException` when a task's function has raised, and `SparkRuntimeException` when its workers died, too
    often each. Whatever is raised, the tasks that still run are ended with their workers.
    """
    waiting = deque(tasks)
    running: dict[int, _Attempt] = {}
    cancelled = pool.cancelled
    poll = select.poll()

    def start(worker: Worker) -> None:
        attempt = _Attempt(waiting.popleft(), worker)
        running[worker.connection.fileno()] = attempt
        poll.register(worker.connection, select.POLLIN | (select.POLLOUT if _send(attempt) else 0))

    def end(descriptor: int) -> _Attempt:
        poll.unregister(descriptor)
        return running.pop(descriptor)

    try:
        while waiting or running:
            while waiting and (worker := pool.take(wait=not running)):
                start(worker)
            for descriptor, event in poll.poll():
                attempt = running[descriptor]
                if event & select.POLLOUT and not _send(attempt):
                    poll.modify(descriptor, select.POLLIN)
                if not event & ~select.POLLOUT:
                    continue
                try:
                    if not attempt.receive():
                        continue
                except (EOFError, ConnectionError):
                    end(descriptor)
                    how = pool.discard(attempt.worker, _GRACE_S)
                    pool.check_open()
                    if pool.cancelled != cancelled:
                        raise SparkRuntimeException("Job cancelled as part of cancellation of all jobs") from None
                    waiting.appendleft(_lost(attempt, how, attempts.dying))
                    continue
                end(descriptor)
                pool.give_back(attempt.worker)
                if again := _ended(attempt, attempts.failing):
                    waiting.appendleft(again)
    finally:
        for attempt in running.values():
            pool.discard(attempt.worker)
    return [task.results for task in tasks]


def _send(attempt: _Attempt) -> bool:
    # That the worker is gone shows when its socket is read.
    with suppress(ConnectionError):
        return attempt.send()
    return False


def _ended(attempt: _Attempt, allowed: int) -> Task | None:
    """The task if it is to run again."""
    assert attempt.answer is not None
    kind, payload = attempt.answer
    if kind == frames.DONE:
        add_sums(unpack(payload))
        return None
    failure: Any = unpack(payload)
    task = attempt.task
    task.failed += 1
    if task.failed >= allowed:
        raise PythonException(failure.text) from failure.error
    _warn("a task failed, attempt %d of %d:\n%s", task.failed, allowed, failure.text)
    return task


def _lost(attempt: _Attempt, how: str, allowed: int) -> Task:
    """The task of a worker that has died, to run again on another."""
    pid = attempt.worker.pid
    task = attempt.task
    task.lost += 1
    if task.lost >= allowed:
        raise SparkRuntimeException(
            f"Job aborted: a task lost its worker process {task.lost} times, the last one, {pid}, by {how}. "
            "Look for functions that end the process or need more memory than there is; spark.task.maxFailures "
            f"({allowed}) is how often a task may run"
        )
    _warn("worker process %d ended by %s; its task runs again, attempt %d of %d", pid, how, task.lost + 1, allowed)
    return task


def _warn(text: str, *arguments: object) -> None:
    import logging

    logging.getLogger("millstream.workers").warning(text, *arguments)
