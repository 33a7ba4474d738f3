"""Inputs of a program's own: Spark's ``Receiver``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from millstream.errors import IllegalStateException
from millstream.storagelevel import StorageLevel

if TYPE_CHECKING:
    from millstream.streaming.receiver_source import Supervisor

T = TypeVar("T")


class Receiver(ABC, Generic[T]):
    """Override `onStart` and `onStop`; give it to `StreamingContext.receiverStream`.

    It runs in the program's process. All methods but these two may be called from any thread.
    """

    _supervisor: Supervisor | None = None

    def __init__(self, storageLevel: StorageLevel = StorageLevel.MEMORY_ONLY) -> None:
        """``storageLevel`` changes nothing: what is stored waits in memory, and it is bounded."""
        self.storageLevel = storageLevel

    @abstractmethod
    def onStart(self) -> None:
        """Begins to receive, in a thread of its own: it is to return at once. It may be called again after `onStop`."""

    @abstractmethod
    def onStop(self) -> None:
        """Ends what `onStart` began, and may wait for it."""

    def store(self, dataItem: T) -> None:
        """Gives one element to the stream. Waits while ``spark.millstream.bufferMiB`` of them wait for their batches or
        are in batches that run; raises `IllegalStateException` once the receiver is stopped."""
        self._supervised.inbox.put(dataItem)

    def storeAll(self, data: Iterable[T]) -> None:
        """Gives each element of an iterable to the stream, as `store`."""
        for item in data:
            self.store(item)

    def reportError(self, message: str, throwable: BaseException | None = None) -> None:
        """Tells listeners, and standard error, of something that went wrong. Receiving goes on."""
        self._supervised.report(message, throwable)

    def restart(self, message: str, error: BaseException | None = None, millisecond: int | None = None) -> None:
        """Stops and, after ``millisecond`` (default ``spark.streaming.receiverRestartDelay``), starts again; returns at
        once. Calls while it is stopped do nothing."""
        self._supervised.restart(message, error, millisecond)

    def stop(self, message: str, error: BaseException | None = None) -> None:
        """Stops for good; returns at once. The stream goes on without new elements."""
        self._supervised.stop(message, error)

    def isStarted(self) -> bool:
        """Whether it receives."""
        return self._supervisor is not None and self._supervisor.started

    def isStopped(self) -> bool:
        """Whether it is to receive no more, for good or until it is started again. Threads should look at it."""
        return not self.isStarted()

    @property
    def streamId(self) -> int:
        """The number of its stream, as listeners hear it."""
        return self._supervised.stream_id

    @property
    def _supervised(self) -> Supervisor:
        if self._supervisor is None:
            raise IllegalStateException(
                "a receiver can be used when it has been given to receiverStream and onStart has been called"
            )
        return self._supervisor

    def __reduce__(self) -> Any:
        raise IllegalStateException("a receiver can't be used in a task: it runs in the program's own process")
