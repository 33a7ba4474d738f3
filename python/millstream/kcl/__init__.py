"""Record processors in the way of the Kinesis Client Library: one a shard, in this process, without a daemon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from millstream._millstream import Record
from millstream.kcl.checkpointer import Checkpointer, PreparedCheckpoint
from millstream.kcl.errors import CheckpointError, CheckpointOutOfRangeError, LeaseLostError
from millstream.kcl.inputs import (
    InitializeInput,
    LeaseLostInput,
    ProcessRecordsInput,
    ShardEndedInput,
    ShutdownRequestedInput,
)
from millstream.kcl.processor import AsyncRecordProcessor, RecordProcessor
from millstream.kcl.settings import Settings, Stream
from millstream.kcl.worker import Worker

if TYPE_CHECKING:
    from millstream.kcl.aio import AsyncWorker
    from millstream.kcl.async_checkpointer import AsyncCheckpointer, AsyncPreparedCheckpoint

__all__ = [
    "AsyncCheckpointer",
    "AsyncPreparedCheckpoint",
    "AsyncRecordProcessor",
    "AsyncWorker",
    "CheckpointError",
    "CheckpointOutOfRangeError",
    "Checkpointer",
    "InitializeInput",
    "LeaseLostError",
    "LeaseLostInput",
    "PreparedCheckpoint",
    "ProcessRecordsInput",
    "Record",
    "RecordProcessor",
    "Settings",
    "ShardEndedInput",
    "ShutdownRequestedInput",
    "Stream",
    "Worker",
]


def __getattr__(name: str) -> Any:
    """What needs asyncio comes when it is asked for: it is a quarter of an idle worker's memory."""
    if name == "AsyncWorker":
        from millstream.kcl.aio import AsyncWorker

        return AsyncWorker
    if name in ("AsyncCheckpointer", "AsyncPreparedCheckpoint"):
        from millstream.kcl import async_checkpointer

        return getattr(async_checkpointer, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
