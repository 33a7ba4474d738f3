"""What a program writes: a processor for one shard.

First ``initialize``, then ``process_records`` again and again, at last one of ``lease_lost``, ``shard_ended`` and
``shutdown_requested``; one call at a time, while other shards are processed beside it. An exception ends the worker:
nothing behind it is checkpointed, and ``run`` raises it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from millstream.kcl.checkpointer import Checkpointer
from millstream.kcl.inputs import (
    InitializeInput,
    LeaseLostInput,
    ProcessRecordsInput,
    ShardEndedInput,
    ShutdownRequestedInput,
)

if TYPE_CHECKING:
    from millstream.kcl.async_checkpointer import AsyncCheckpointer

__all__ = ["AsyncRecordProcessor", "RecordProcessor"]


class RecordProcessor(ABC):
    """A processor whose calls come in threads, one a shard at a time."""

    def initialize(self, initialize_input: InitializeInput) -> None:  # noqa: B027
        """Before the first records."""

    @abstractmethod
    def process_records(self, process_records_input: ProcessRecordsInput[Checkpointer]) -> None:
        """Records. What lies behind the last checkpoint comes again after a failure."""

    def lease_lost(self, lease_lost_input: LeaseLostInput) -> None:  # noqa: B027
        """Another worker has the lease: a checkpoint is refused now."""

    def shard_ended(self, shard_ended_input: ShardEndedInput[Checkpointer]) -> None:
        """All of a closed shard was delivered. This must checkpoint, as it does unless overridden."""
        shard_ended_input.checkpointer.checkpoint()

    def shutdown_requested(self, shutdown_requested_input: ShutdownRequestedInput[Checkpointer]) -> None:  # noqa: B027
        """The lease is to be given up, to another worker or at the end of this one."""


class AsyncRecordProcessor(ABC):
    """A processor of coroutines, all on the event loop of `AsyncWorker.run`."""

    async def initialize(self, initialize_input: InitializeInput) -> None:  # noqa: B027
        """Before the first records."""

    @abstractmethod
    async def process_records(self, process_records_input: ProcessRecordsInput[AsyncCheckpointer]) -> None:
        """Records. What lies behind the last checkpoint comes again after a failure."""

    async def lease_lost(self, lease_lost_input: LeaseLostInput) -> None:  # noqa: B027
        """Another worker has the lease: a checkpoint is refused now."""

    async def shard_ended(self, shard_ended_input: ShardEndedInput[AsyncCheckpointer]) -> None:
        """All of a closed shard was delivered. This must checkpoint, as it does unless overridden."""
        await shard_ended_input.checkpointer.checkpoint()

    async def shutdown_requested(self, shutdown_requested_input: ShutdownRequestedInput[AsyncCheckpointer]) -> None:  # noqa: B027
        """The lease is to be given up, to another worker or at the end of this one."""
