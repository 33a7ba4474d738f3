"""Checkpoints of one shard, for processors on an asyncio event loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from millstream._millstream import KclCheckpointer, KclPreparedCheckpoint

__all__ = ["AsyncCheckpointer", "AsyncPreparedCheckpoint"]


class AsyncCheckpointer:
    """A `Checkpointer` for asyncio."""

    def __init__(self, native: KclCheckpointer) -> None:
        self._native = native

    async def checkpoint(self, sequence_number: str | None = None, sub_sequence_number: int = 0) -> None:
        """As `Checkpointer.checkpoint`, without blocking the event loop."""
        await asyncio.to_thread(self._native.checkpoint, sequence_number, sub_sequence_number)

    async def prepare_checkpoint(
        self, sequence_number: str | None = None, sub_sequence_number: int = 0, state: bytes | None = None
    ) -> AsyncPreparedCheckpoint:
        """As `Checkpointer.prepare_checkpoint`."""
        native = await asyncio.to_thread(self._native.prepare, sequence_number, sub_sequence_number, state)
        return AsyncPreparedCheckpoint(native)


class AsyncPreparedCheckpoint:
    """As `PreparedCheckpoint`."""

    def __init__(self, native: KclPreparedCheckpoint) -> None:
        self._native = native
        self.sequence_number, self.sub_sequence_number = native.at()

    async def checkpoint(self) -> None:
        """As `PreparedCheckpoint.checkpoint`, without blocking the event loop."""
        await asyncio.to_thread(self._native.checkpoint)
