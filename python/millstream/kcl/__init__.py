"""Record processors in the way of the Kinesis Client Library: one a shard, in this process, without a daemon."""

from __future__ import annotations

from millstream.kcl.aio import AsyncWorker
from millstream.kcl.checkpointer import AsyncCheckpointer, AsyncPreparedCheckpoint, Checkpointer, PreparedCheckpoint
from millstream.kcl.errors import CheckpointError, CheckpointOutOfRangeError, LeaseLostError
from millstream.kcl.inputs import (
    InitializeInput,
    LeaseLostInput,
    ProcessRecordsInput,
    ShardEndedInput,
    ShutdownRequestedInput,
)
from millstream.kcl.processor import AsyncRecordProcessor, RecordProcessor
from millstream.kcl.records import Record
from millstream.kcl.settings import Settings, Stream
from millstream.kcl.worker import Worker

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
