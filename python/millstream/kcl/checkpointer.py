"""Checkpoints of one shard."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from millstream._millstream import KclCheckpointer

__all__ = ["AsyncCheckpointer", "Checkpointer"]


class Checkpointer:
    """Writes checkpoints of one shard, as long as this worker holds its lease."""

    def __init__(self, native: KclCheckpointer) -> None:
        self._native = native

    def checkpoint(self, sequence_number: str | None = None, sub_sequence_number: int = 0) -> None:
        """Everything up to this record, itself included, is processed; without a number, everything delivered. At the
        end of a shard that is all of it. The checkpoint is stored when this returns.

        :raises LeaseLostError: the lease is another worker's.
        :raises CheckpointOutOfRangeError: before the last checkpoint, or behind what was delivered.
        """
        self._native.checkpoint(sequence_number, sub_sequence_number)


class AsyncCheckpointer:
    """The same for asyncio."""

    def __init__(self, native: KclCheckpointer) -> None:
        self._native = native

    async def checkpoint(self, sequence_number: str | None = None, sub_sequence_number: int = 0) -> None:
        """As `Checkpointer.checkpoint`, without blocking the event loop."""
        await asyncio.to_thread(self._native.checkpoint, sequence_number, sub_sequence_number)
