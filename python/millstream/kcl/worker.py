"""A worker whose processors are called in threads."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from millstream._millstream import KclWorker
from millstream.kcl.calls import Calls
from millstream.kcl.checkpointer import Checkpointer

if TYPE_CHECKING:
    from millstream.kcl.processor import RecordProcessor
    from millstream.kcl.settings import Settings, Stream

__all__ = ["Worker"]


class Worker:
    """Runs a processor, made by ``processor_factory()``, for each shard it holds the lease of. It runs once."""

    def __init__(self, processor_factory: Callable[[], RecordProcessor], settings: Settings) -> None:
        self._settings = settings
        self._native = KclWorker(
            settings.input(),
            lambda: Calls(processor_factory(), Checkpointer, _is_done),
            settings.max_records,
            settings.max_threads,
            settings.several(),
        )

    def run(self) -> None:
        """Runs until `stop`, SIGTERM (in the main thread), Ctrl-C or an error: then each processor finishes its call
        and may checkpoint, and the leases are given back. Raises what a processor raised, and KeyboardInterrupt.
        """
        with stopped_by_sigterm(self.stop):
            self._native.run()

    def stop(self) -> None:
        """Asks `run` to end; returns at once. Can be called from any thread."""
        self._native.stop()

    def set_streams(self, streams: Iterable[str | Stream]) -> None:
        """From now on these streams are read, in place of those before; of a worker with ``streams`` in its settings.
        What is being processed of a stream that is not among them is finished (``shutdown_requested``), and its leases
        are given back; added again, it goes on behind its checkpoints. All workers of the application are to be told.
        Returns at once. Can be called from any thread.

        :raises IllegalArgumentException: the worker reads one stream.
        """
        self._native.set_streams(self._settings.given(streams))


@contextmanager
def stopped_by_sigterm(stop: Callable[[], None]) -> Iterator[None]:
    """SIGTERM stops, where this is the main thread and the program has no handler of its own."""
    is_ours = threading.current_thread() is threading.main_thread()
    if not is_ours or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return

    def on_signal(number: int, frame: Any) -> None:
        stop()

    signal.signal(signal.SIGTERM, on_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _is_done(_: Any) -> None:
    """A method that is no coroutine is done when it returns."""
