"""What a program hears of its batches: ``StreamingListener``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from millstream.errors import IllegalArgumentException
from millstream.streaming.events import BatchEvent, OutputOperationEvent, ReceiverEvent, StreamingStarted
from millstream.streaming.util import argument_count

if TYPE_CHECKING:
    from millstream.conf import SparkConf


class StreamingListener:
    """Override what is wanted. Called on the engine's threads: a slow listener slows the batches.

    An exception in a listener is logged and has no other effect. Sockets and `Receiver` have receivers, whose callbacks
    come on threads of theirs; Kinesis streams have none.
    """

    def onStreamingStarted(self, streamingStarted: StreamingStarted) -> None:
        """The streams have started."""

    def onReceiverStarted(self, receiverStarted: ReceiverEvent) -> None:
        """A receiver has started, or started again."""

    def onReceiverError(self, receiverError: ReceiverEvent) -> None:
        """A receiver reports an error, and goes on."""

    def onReceiverStopped(self, receiverStopped: ReceiverEvent) -> None:
        """A receiver has stopped, for good or to start again."""

    def onBatchSubmitted(self, batchSubmitted: BatchEvent) -> None:
        """A batch waits to be processed."""

    def onBatchStarted(self, batchStarted: BatchEvent) -> None:
        """The processing of a batch begins."""

    def onBatchCompleted(self, batchCompleted: BatchEvent) -> None:
        """A batch has been processed, well or badly."""

    def onOutputOperationStarted(self, outputOperationStarted: OutputOperationEvent) -> None:
        """An output operation of a batch begins."""

    def onOutputOperationCompleted(self, outputOperationCompleted: OutputOperationEvent) -> None:
        """An output operation of a batch has ended, well or badly."""


class ListenerCalls:
    """What the engine calls, for a program's listener."""

    def __init__(self, listener: StreamingListener) -> None:
        self._listener = listener

    def streaming_started(self, time_ms: int) -> None:
        """See `StreamingListener.onStreamingStarted`."""
        self._listener.onStreamingStarted(StreamingStarted(time_ms))

    def tell(self, callback: str, receiver: dict[str, Any]) -> None:
        """Calls one of the three methods for receivers, by its name."""
        try:
            getattr(self._listener, callback)(ReceiverEvent(receiver))
        except Exception as error:
            print(f"millstream: a streaming listener failed in {callback}: {error!r}", file=sys.stderr)

    def batch_submitted(self, batch: dict[str, Any]) -> None:
        """See `StreamingListener.onBatchSubmitted`."""
        self._listener.onBatchSubmitted(BatchEvent(batch))

    def batch_started(self, batch: dict[str, Any]) -> None:
        """See `StreamingListener.onBatchStarted`."""
        self._listener.onBatchStarted(BatchEvent(batch))

    def batch_completed(self, batch: dict[str, Any]) -> None:
        """See `StreamingListener.onBatchCompleted`."""
        self._listener.onBatchCompleted(BatchEvent(batch))

    def output_started(self, output: dict[str, Any]) -> None:
        """See `StreamingListener.onOutputOperationStarted`."""
        self._listener.onOutputOperationStarted(OutputOperationEvent(output))

    def output_completed(self, output: dict[str, Any]) -> None:
        """See `StreamingListener.onOutputOperationCompleted`."""
        self._listener.onOutputOperationCompleted(OutputOperationEvent(output))


def listeners_of(names: str, conf: SparkConf) -> list[StreamingListener]:
    """The listeners of ``spark.streaming.extraListeners``: `module.Class`, separated by commas."""
    from importlib import import_module

    made = []
    for name in filter(None, map(str.strip, names.split(","))):
        module, _, kind = name.rpartition(".")
        try:
            listener = getattr(import_module(module), kind)
        except (ImportError, AttributeError, ValueError) as error:
            raise IllegalArgumentException(
                f"spark.streaming.extraListeners: there is no {name}: {error}; write module.Class"
            ) from error
        made.append(listener(conf) if argument_count(listener) else listener())
    return made
