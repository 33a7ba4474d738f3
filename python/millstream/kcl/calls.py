"""The native worker's calls as those of a processor, with threads or with coroutines."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from millstream.kcl.inputs import (
    InitializeInput,
    LeaseLostInput,
    ProcessRecordsInput,
    ShardEndedInput,
    ShutdownRequestedInput,
)

if TYPE_CHECKING:
    from concurrent.futures import Future

    from millstream._millstream import Block, KclCheckpointer

__all__ = ["Calls"]


class Calls:
    """What the native worker calls, one method at a time for a shard."""

    def __init__(
        self, processor: Any, checkpointer: Callable[[KclCheckpointer], Any], done: Callable[[Any], Future[None] | None]
    ) -> None:
        """``checkpointer`` makes the one that the processor is given; ``done`` gets what its method returned, and tells
        when that is done: nothing if it is."""
        self._processor = processor
        self._checkpointer = checkpointer
        self._done = done

    def initialize(
        self,
        stream: str,
        shard: str,
        sequence_number: str,
        sub_sequence_number: int,
        pending: tuple[str, int, bytes | None] | None,
    ) -> Future[None] | None:
        """See `RecordProcessor.initialize`."""
        prepared = (None, None, None) if pending is None else pending
        begin = InitializeInput(stream, shard, sequence_number, sub_sequence_number, *prepared)
        return self._done(self._processor.initialize(begin))

    def process_records(
        self, blocks: list[Block], millis_behind: int, checkpointer: KclCheckpointer
    ) -> Future[None] | None:
        """See `RecordProcessor.process_records`."""
        records = ProcessRecordsInput(blocks, millis_behind, self._checkpointer(checkpointer))
        return self._done(self._processor.process_records(records))

    def lease_lost(self) -> Future[None] | None:
        """See `RecordProcessor.lease_lost`."""
        return self._done(self._processor.lease_lost(LeaseLostInput()))

    def shard_ended(self, checkpointer: KclCheckpointer) -> Future[None] | None:
        """See `RecordProcessor.shard_ended`."""
        return self._done(self._processor.shard_ended(ShardEndedInput(self._checkpointer(checkpointer))))

    def shutdown_requested(self, checkpointer: KclCheckpointer) -> Future[None] | None:
        """See `RecordProcessor.shutdown_requested`."""
        return self._done(self._processor.shutdown_requested(ShutdownRequestedInput(self._checkpointer(checkpointer))))
