"""A worker whose processors run on an asyncio event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from millstream._millstream import KclWorker
from millstream.kcl.checkpointer import AsyncCheckpointer
from millstream.kcl.inputs import (
    InitializeInput,
    LeaseLostInput,
    ProcessRecordsInput,
    ShardEndedInput,
    ShutdownRequestedInput,
)
from millstream.kcl.worker import stopped_by_sigterm

if TYPE_CHECKING:
    from millstream._millstream import Block, KclCheckpointer
    from millstream.kcl.processor import AsyncRecordProcessor
    from millstream.kcl.settings import Settings

__all__ = ["AsyncWorker"]


class AsyncWorker:
    """As `Worker`, with coroutines for methods. It runs once."""

    def __init__(self, processor_factory: Callable[[], AsyncRecordProcessor], settings: Settings) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._native = KclWorker(
            settings.input(), lambda: _Calls(processor_factory(), self._loop), settings.max_records
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


class _Calls:
    """The native worker's calls, which come in threads, as coroutines on the loop."""

    def __init__(self, processor: AsyncRecordProcessor, loop: asyncio.AbstractEventLoop | None) -> None:
        assert loop is not None
        self._processor = processor
        self._loop = loop

    def _wait(self, call: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(call, self._loop).result()

    def initialize(self, stream: str, shard: str, sequence_number: str, sub_sequence_number: int) -> None:
        self._wait(self._processor.initialize(InitializeInput(stream, shard, sequence_number, sub_sequence_number)))

    def process_records(self, blocks: list[Block], millis_behind: int, checkpointer: KclCheckpointer) -> None:
        records = ProcessRecordsInput(blocks, millis_behind, AsyncCheckpointer(checkpointer))
        self._wait(self._processor.process_records(records))

    def lease_lost(self) -> None:
        self._wait(self._processor.lease_lost(LeaseLostInput()))

    def shard_ended(self, checkpointer: KclCheckpointer) -> None:
        self._wait(self._processor.shard_ended(ShardEndedInput(AsyncCheckpointer(checkpointer))))

    def shutdown_requested(self, checkpointer: KclCheckpointer) -> None:
        self._wait(self._processor.shutdown_requested(ShutdownRequestedInput(AsyncCheckpointer(checkpointer))))
