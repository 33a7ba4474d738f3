"""What a `StreamingListener` is given: payloads whose fields are methods, as in PySpark."""

from __future__ import annotations

from typing import Any


class Time:
    """A batch time."""

    def __init__(self, time_ms: int) -> None:
        self._time_ms = time_ms

    def milliseconds(self) -> int:
        """Milliseconds since the epoch."""
        return self._time_ms

    def __str__(self) -> str:
        return f"{self._time_ms} ms"


class StreamingStarted:
    """The payload of `StreamingListener.onStreamingStarted`."""

    def __init__(self, time_ms: int) -> None:
        self._time_ms = time_ms

    def time(self) -> int:
        """Milliseconds since the epoch."""
        return self._time_ms


class _Payload:
    """What the engine tells, shown by methods."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = fields


class StreamInputInfo(_Payload):
    """What one input gave to a batch."""

    def inputStreamId(self) -> int:
        """The input's number, counted from 0."""
        return int(self._fields["id"])

    def numRecords(self) -> int:
        """Its records in the batch."""
        return int(self._fields["records"])

    def metadata(self) -> dict[str, Any]:
        """Where they come from, under Spark's key ``Description``; empty where there is nothing to say."""
        text = self._fields["metadata"]
        return {"Description": text} if text else {}

    def metadataDescription(self) -> str | None:
        """The same as text."""
        return self._fields["metadata"] or None


class OutputOperationInfo(_Payload):
    """One output operation in one batch. A time that is not there yet is -1."""

    def batchTime(self) -> Time:
        """The batch."""
        return Time(self._fields["time_ms"])

    def id(self) -> int:
        """The operation's number, counted from 0."""
        return int(self._fields["id"])

    def name(self) -> str:
        """What it is, and the line of the program that made it."""
        return str(self._fields["name"])

    def description(self) -> str:
        """The same."""
        return self.name()

    def startTime(self) -> int:
        """When it began, in milliseconds since the epoch."""
        return _or_not_yet(self._fields["start_ms"])

    def endTime(self) -> int:
        """When it ended, in milliseconds since the epoch."""
        return _or_not_yet(self._fields["end_ms"])

    def failureReason(self) -> str | None:
        """Why it failed, if it did."""
        reason: str | None = self._fields["failure"]
        return reason


class BatchInfo(_Payload):
    """One batch, as far as it has come. A time or delay, in milliseconds, that is not there yet is -1."""

    def batchTime(self) -> Time:
        """The batch."""
        return Time(self._fields["time_ms"])

    def streamIdToInputInfo(self) -> dict[int, StreamInputInfo]:
        """What each input gave."""
        return {fields["id"]: StreamInputInfo(fields) for fields in self._fields["inputs"]}

    def numRecords(self) -> int:
        """The records of all inputs."""
        return sum(fields["records"] for fields in self._fields["inputs"])

    def submissionTime(self) -> int:
        """When it was cut and began to wait."""
        return int(self._fields["submission_ms"])

    def processingStartTime(self) -> int:
        """When its processing began."""
        return _or_not_yet(self._fields["processing_start_ms"])

    def processingEndTime(self) -> int:
        """When its processing ended."""
        return _or_not_yet(self._fields["processing_end_ms"])

    def schedulingDelay(self) -> int:
        """How long it waited."""
        return _between(self.submissionTime(), self.processingStartTime())

    def processingDelay(self) -> int:
        """How long it was processed."""
        return _between(self.processingStartTime(), self.processingEndTime())

    def totalDelay(self) -> int:
        """Both together."""
        return _between(self.submissionTime(), self.processingEndTime())

    def outputOperationInfos(self) -> dict[int, OutputOperationInfo]:
        """Its output operations."""
        return {fields["id"]: OutputOperationInfo(fields) for fields in self._fields["outputs"]}


class ReceiverInfo(_Payload):
    """One receiver."""

    def streamId(self) -> int:
        """The number of its stream, as in `BatchInfo.streamIdToInputInfo`."""
        return int(self._fields["id"])

    def name(self) -> str:
        """Its class and that number."""
        return str(self._fields["name"])

    def active(self) -> bool:
        """Whether it receives."""
        return bool(self._fields["active"])

    def location(self) -> str:
        """The name of this machine."""
        from socket import gethostname

        return gethostname()

    def executorId(self) -> str:
        """Spark's name for the program's own process."""
        return "driver"

    def lastErrorMessage(self) -> str:
        """What it said last of an error, or of a restart or stop; empty if nothing."""
        return str(self._fields["last_error"]["message"])

    def lastError(self) -> str:
        """The traceback that belongs to it, if there was an exception."""
        return str(self._fields["last_error"]["error"])

    def lastErrorTime(self) -> int:
        """When it said so, in milliseconds since the epoch; -1 for never."""
        return int(self._fields["last_error"]["time_ms"])


class ReceiverEvent(_Payload):
    """The payload of the callbacks for receivers."""

    def receiverInfo(self) -> ReceiverInfo:
        """The receiver."""
        return ReceiverInfo(self._fields)


class BatchEvent(_Payload):
    """The payload of the callbacks for batches."""

    def batchInfo(self) -> BatchInfo:
        """The batch."""
        return BatchInfo(self._fields)


class OutputOperationEvent(_Payload):
    """The payload of the callbacks for output operations."""

    def outputOperationInfo(self) -> OutputOperationInfo:
        """The output operation."""
        return OutputOperationInfo(self._fields)


def _or_not_yet(time_ms: int | None) -> int:
    return -1 if time_ms is None else time_ms


def _between(begin_ms: int, end_ms: int) -> int:
    return -1 if -1 in (begin_ms, end_ms) else end_ms - begin_ms
