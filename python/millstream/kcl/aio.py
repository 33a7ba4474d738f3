"""A worker whose processors run on an asyncio event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Any

from millstream._millstream import KclWorker
from millstream.kcl.async_checkpointer import AsyncCheckpointer
from millstream.kcl.calls import Calls
from millstream.kcl.worker import stopped_by_sigterm

if TYPE_CHECKING:
    from concurrent.futures import Future

    from millstream.kcl.processor import AsyncRecordProcessor
    from millstream.kcl.settings import Settings, Stream

__all__ = ["AsyncWorker"]


class AsyncWorker:
    """As `Worker`, with coroutines for methods. It runs once."""

    def __init__(self, processor_factory: Callable[[], AsyncRecordProcessor], settings: Settings) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._settings = settings
        self._native = KclWorker(
            settings.input(),
            lambda: Calls(processor_factory(), AsyncCheckpointer, self._begin),
            settings.max_records,
            settings.max_threads,
            settings.several(),
        )

    async def run(self) -> None:
        """As `Worker.run`, on the running loop. Cancelling it stops the worker, and waits until that is done."""
        self._loop = asyncio.get_running_loop()
        with stopped_by_sigterm(self.stop):
            running = asyncio.ensure_future(asyncio.to_thread(self._native.run))
            try:
                await asyncio.shield(running)
            except asyncio.CancelledError:
                self.stop()
                await running
                raise

    def stop(self) -> None:
        """Asks `run` to end; returns at once. Can be called from any thread."""
        self._native.stop()

    def set_streams(self, streams: Iterable[str | Stream]) -> None:
        """As `Worker.set_streams`."""
        self._native.set_streams(self._settings.given(streams))

    def _begin(self, call: Coroutine[Any, Any, None]) -> Future[None]:
        """Runs a call, which comes in a thread of the native worker, on the loop."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(call, self._loop)
