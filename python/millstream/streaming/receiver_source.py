"""Runs a receiver: starts, restarts and stops it, and gives its elements to batches."""

from __future__ import annotations

import sys
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple

from millstream.streaming.inbox import Inbox
from millstream.streaming.source import Source

if TYPE_CHECKING:
    from millstream.context import SparkContext
    from millstream.rdd import RDD
    from millstream.streaming.receiver import Receiver

#: Seconds that a stop which is not graceful waits for `Receiver.onStop`.
STOP_S = 5.0

#: Tells listeners: the name of the callback, and the fields of its `ReceiverInfo`.
Tell = Callable[[str, dict[str, Any]], None]


class Limits(NamedTuple):
    """What a receiver may do: bytes that wait, ms from a stop to the next start."""

    most_bytes: int
    restart_ms: int


class _Order(NamedTuple):
    message: str
    error: BaseException | None
    #: Until it is started again; None: never.
    delay_ms: int | None


class Supervisor:
    """One receiver's thread: only there are `onStart` and `onStop` called, one at a time."""

    def __init__(self, receiver: Receiver[Any], stream_id: int, limits: Limits, tell: Tell) -> None:
        self.inbox = Inbox(limits.most_bytes)
        self.stream_id = stream_id
        #: Between `onStart` and `onStop`.
        self.started = False
        self._receiver = receiver
        self._restart_ms = limits.restart_ms
        self._tell = tell
        self._last_error: dict[str, Any] = {"message": "", "error": "", "time_ms": -1}
        self._orders: SimpleQueue[_Order] = SimpleQueue()
        self._thread = Thread(target=self._run, name=f"millstream-receiver-{stream_id}", daemon=True)
        receiver._supervisor = self

    def begin(self) -> None:
        """Starts the receiver."""
        self._thread.start()

    def has_ended(self, within_s: float = 0.0) -> bool:
        """Whether it has stopped for good, or never begun."""
        if self._thread.ident is not None:
            self._thread.join(within_s)
        return not self._thread.is_alive()

    def report(self, message: str, error: BaseException | None) -> None:
        """See `Receiver.reportError`."""
        self._note(message, error)
        self._say(f"{message}{_because(error)}")
        self._told("onReceiverError")

    def restart(self, message: str, error: BaseException | None, delay_ms: int | None) -> None:
        """See `Receiver.restart`."""
        if self.started:
            self.started = False
            self._orders.put(_Order(message, error, self._restart_ms if delay_ms is None else delay_ms))

    def stop(self, message: str, error: BaseException | None = None) -> None:
        """See `Receiver.stop`."""
        self._orders.put(_Order(message, error, None))

    def _run(self) -> None:
        try:
            delay_ms: int | None = 0
            while delay_ms is not None:
                # A stop that comes while it waits is an order of its own.
                if delay_ms and self._stopped_within(delay_ms / 1000):
                    return
                order = self._start() or self._orders.get()
                self._stop(order)
                delay_ms = order.delay_ms
        finally:
            self.inbox.close()

    def _stopped_within(self, seconds: float) -> bool:
        try:
            self._orders.get(timeout=seconds)
        except Empty:
            return False
        return True

    def _start(self) -> _Order | None:
        """Starts it; if that fails, what is to be done then."""
        self.started = True
        self._told("onReceiverStarted")
        try:
            self._receiver.onStart()
        except Exception as error:
            return _Order(f"Error starting receiver {self.stream_id}", error, None)
        return None

    def _stop(self, order: _Order) -> None:
        self.started = False
        again = "" if order.delay_ms is None else f"; starting again in {order.delay_ms / 1000:g} s"
        if order.message:
            self._note(order.message, order.error)
            self._say(f"{order.message}{_because(order.error)}{again}")
        try:
            self._receiver.onStop()
        except Exception as error:
            self._say(f"Error stopping receiver {self.stream_id}{_because(error)}")
        self._told("onReceiverStopped")

    def _note(self, message: str, error: BaseException | None) -> None:
        import time
        import traceback

        text = "" if error is None else "".join(traceback.format_exception(error))
        self._last_error = {"message": message, "error": text, "time_ms": int(time.time() * 1000)}

    def _say(self, text: str) -> None:
        print(f"millstream: receiver {self.stream_id} ({type(self._receiver).__name__}): {text}", file=sys.stderr)

    def _told(self, what: str) -> None:
        fields = {"id": self.stream_id, "name": f"{type(self._receiver).__name__}-{self.stream_id}"}
        self._tell(what, {**fields, "active": self.started, "last_error": self._last_error})


class ReceiverSource(Source):
    """The input that a receiver feeds.

    A graceful stop stops the receiver, and then gives what it has stored to batches.
    """

    has_receiver = True

    def __init__(self, sc: SparkContext, receiver: Receiver[Any], stream_id: int, limits: Limits, tell: Tell) -> None:
        self._sc = sc
        self._most: int | None = None
        self.label = type(receiver).__name__
        self._supervisor = Supervisor(receiver, stream_id, limits, tell)

    def start(self) -> None:
        """Starts the receiver."""
        self._supervisor.begin()

    def limit(self, records: int | None) -> None:
        """The rate."""
        self._most = records

    def cut(self, time_ms: int) -> tuple[RDD[Any], int]:
        """What was stored since the last batch, or as much of it as the rate allows."""
        items = self._supervisor.inbox.take(time_ms, self._most)
        return self._sc.parallelize(items), len(items)

    def committed(self, time_ms: int) -> None:
        """There is room again."""
        self._supervisor.inbox.release(time_ms)

    failed = committed

    def drain(self) -> None:
        """Stops the receiver; what it is about to store is still taken."""
        self._supervisor.stop("")

    def is_drained(self) -> bool:
        """Whether the receiver is stopped and all it stored has been cut."""
        return self._supervisor.has_ended() and not len(self._supervisor.inbox)

    def stop(self, graceful: bool) -> None:
        """Stops the receiver; threads that wait to store something are sent away."""
        self._supervisor.inbox.close()
        self._supervisor.stop("")
        if not self._supervisor.has_ended(STOP_S):
            print(f"millstream: a receiver's onStop has not returned within {STOP_S:g} s", file=sys.stderr)


def _because(error: BaseException | None) -> str:
    return "" if error is None else f": {error}"
