"""Receivers of a program's own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

import pytest

from millstream import SparkConf, SparkContext
from millstream.errors import IllegalArgumentException, IllegalStateException
from millstream.streaming import Receiver, StreamingContext, StreamingListener
from millstream.streaming.inbox import Inbox

WAIT_S = 10


class Manual(Receiver[Any]):
    """Does nothing by itself; says what is done with it."""

    def __init__(self, on_start: Callable[[Manual], Any] = lambda self: None) -> None:
        super().__init__()
        self.calls: queue.Queue[str] = queue.Queue()
        self.on_start = on_start

    def onStart(self) -> None:
        self.calls.put("start")
        self.on_start(self)

    def onStop(self) -> None:
        assert self.isStopped()
        self.calls.put("stop")

    def next_call(self) -> str:
        return self.calls.get(timeout=WAIT_S)


class Heard(StreamingListener):
    def __init__(self) -> None:
        self.events: queue.Queue[tuple[str, Any]] = queue.Queue()

    def onReceiverStarted(self, receiverStarted: Any) -> None:
        self.events.put(("started", receiverStarted.receiverInfo()))

    def onReceiverError(self, receiverError: Any) -> None:
        self.events.put(("error", receiverError.receiverInfo()))

    def onReceiverStopped(self, receiverStopped: Any) -> None:
        self.events.put(("stopped", receiverStopped.receiverInfo()))

    def next(self) -> tuple[str, Any]:
        return self.events.get(timeout=WAIT_S)


def running(ssc: StreamingContext, receiver: Manual) -> queue.Queue[Any]:
    """Starts a stream of the receiver; its elements as they come."""
    elements: queue.Queue[Any] = queue.Queue()
    ssc.receiverStream(receiver).foreachRDD(lambda rdd: [elements.put(element) for element in rdd.collect()])
    ssc.start()
    assert receiver.next_call() == "start"
    return elements


def take(elements: queue.Queue[Any], count: int) -> list[Any]:
    return [elements.get(timeout=WAIT_S) for _ in range(count)]


@pytest.fixture
def quick() -> Any:
    """A context whose receivers start again at once, and may hold 1 MiB."""
    conf = SparkConf().setAll([("spark.streaming.receiverRestartDelay", 10), ("spark.millstream.bufferMiB", 1)])
    made = StreamingContext(SparkContext("local", "tests", conf=conf), 0.05)
    yield made
    made.stop()


def test_what_is_stored_is_in_the_stream_in_its_order(ssc: StreamingContext) -> None:
    receiver = Manual()
    elements = running(ssc, receiver)
    receiver.store([1, 2])
    receiver.storeAll(iter([3, "four"]))
    assert take(elements, 3) == [[1, 2], 3, "four"]
    assert (receiver.isStarted(), receiver.streamId) == (True, 0)


def test_listeners_hear_of_a_restart_and_of_errors(quick: StreamingContext, capsys: pytest.CaptureFixture[str]) -> None:
    heard, receiver = Heard(), Manual()
    quick.addStreamingListener(StreamingListener())
    quick.addStreamingListener(heard)
    quick.queueStream([[0]])
    elements = running(quick, receiver)
    what, info = heard.next()
    assert (what, info.streamId(), info.name(), info.active()) == ("started", 1, "Manual-1", True)
    assert (info.lastErrorMessage(), info.lastError(), info.lastErrorTime()) == ("", "", -1)
    receiver.reportError("a bad line", ValueError("no number"))
    what, info = heard.next()
    assert (what, info.active(), info.lastErrorMessage()) == ("error", True, "a bad line")
    assert "ValueError: no number" in info.lastError()
    assert info.lastErrorTime() > 0
    receiver.restart("once more", OSError("gone"))
    assert [receiver.next_call(), receiver.next_call()] == ["stop", "start"]
    assert [heard.next()[0], heard.next()[0]] == ["stopped", "started"]
    receiver.store(7)
    assert take(elements, 1) == [7]
    said = capsys.readouterr().err
    assert "millstream: receiver 1 (Manual): a bad line: no number\n" in said
    assert "millstream: receiver 1 (Manual): once more: gone; starting again in 0.01 s\n" in said


def test_a_receiver_that_stops_itself_ends_no_stream(quick: StreamingContext) -> None:
    heard, receiver = Heard(), Manual()
    quick.addStreamingListener(heard)
    elements = running(quick, receiver)
    receiver.store(1)
    receiver.stop("had enough")
    assert (receiver.next_call(), heard.next()[0]) == ("stop", "started")
    what, info = heard.next()
    assert (what, info.active(), info.lastErrorMessage()) == ("stopped", False, "had enough")
    assert take(elements, 1) == [1]
    with pytest.raises(IllegalStateException, match="the receiver has been stopped"):
        for number in range(1_000_000):
            receiver.store(number)
    assert not quick.awaitTerminationOrTimeout(0.1)


def test_a_receiver_that_cannot_start_is_stopped_and_told(ssc: StreamingContext) -> None:
    heard = Heard()
    ssc.addStreamingListener(heard)
    receiver = Manual(lambda self: 1 // 0)
    running(ssc, receiver)
    assert [heard.next()[0], receiver.next_call()] == ["started", "stop"]
    what, info = heard.next()
    assert (what, info.lastErrorMessage()) == ("stopped", "Error starting receiver 0")
    assert "ZeroDivisionError" in info.lastError()


def test_a_listener_that_fails_does_not_harm_a_receiver(
    ssc: StreamingContext, capsys: pytest.CaptureFixture[str]
) -> None:
    class Failing(StreamingListener):
        def onReceiverStarted(self, receiverStarted: Any) -> None:
            raise ValueError("no wish to listen")

    ssc.addStreamingListener(Failing())
    receiver = Manual()
    elements = running(ssc, receiver)
    receiver.store(1)
    assert take(elements, 1) == [1]
    assert (
        "a streaming listener failed in onReceiverStarted: ValueError('no wish to listen')" in capsys.readouterr().err
    )


def test_a_graceful_stop_drains_what_comes_until_on_stop_has_returned(ssc: StreamingContext) -> None:
    class Last(Manual):
        def onStop(self) -> None:
            self.store("last")
            super().onStop()

    receiver = Last()
    elements = running(ssc, receiver)
    receiver.storeAll(range(1000))
    ssc.stop(stopGraceFully=True)
    assert list(elements.queue) == [*range(1000), "last"]


def test_a_receiver_waits_for_batches_that_do_not_end(quick: StreamingContext) -> None:
    mebibyte = 1 << 20
    held, free = threading.Event(), threading.Event()
    stored: queue.Queue[int] = queue.Queue()

    def hold(rdd: Any) -> None:
        if rdd.count():
            held.set()
            assert free.wait(WAIT_S)

    def receive(self: Manual) -> None:
        def work() -> None:
            for number in range(20):
                self.store(bytes(mebibyte // 8))
                stored.put(number)

        threading.Thread(target=work, daemon=True).start()

    quick.receiverStream(Manual(receive)).foreachRDD(hold)
    quick.start()
    assert held.wait(WAIT_S)
    assert take(stored, 7) == list(range(7))
    with pytest.raises(queue.Empty):
        stored.get(timeout=0.3)
    free.set()
    assert take(stored, 13) == list(range(7, 20))


def test_a_stop_sends_away_those_who_wait_for_room(quick: StreamingContext) -> None:
    refused = threading.Event()

    def receive(self: Manual) -> None:
        def work() -> None:
            try:
                while True:
                    self.store(bytes(1 << 20))
            except IllegalStateException:
                refused.set()

        threading.Thread(target=work, daemon=True).start()

    receiver = Manual(receive)
    running(quick, receiver)
    quick.stop()
    assert refused.wait(WAIT_S)


def test_a_rate_bounds_what_a_batch_takes() -> None:
    conf = SparkConf().set("spark.streaming.receiver.maxRate", 100)
    sizes: queue.Queue[int] = queue.Queue()
    ssc = StreamingContext(SparkContext("local", "tests", conf=conf), 0.05)
    receiver = Manual(lambda self: self.storeAll(range(12)))
    ssc.receiverStream(receiver).foreachRDD(lambda rdd: sizes.put(rdd.count()))
    ssc.start()
    found = [sizes.get(timeout=WAIT_S) for _ in range(6)]
    ssc.stop()
    assert [size for size in found if size] == [5, 5, 2]


def test_a_receiver_is_for_one_stream_and_not_for_tasks(ssc: StreamingContext) -> None:
    receiver = Manual()
    with pytest.raises(IllegalStateException, match="given to receiverStream"):
        receiver.store(1)
    ssc.receiverStream(receiver)
    with pytest.raises(IllegalArgumentException, match="a receiver feeds one stream"):
        ssc.receiverStream(receiver)
    with pytest.raises(Exception, match="a receiver can't be used in a task"):
        ssc.sparkContext.parallelize([1]).foreach(lambda _: receiver.store(1))


def test_an_item_larger_than_all_the_room_is_taken_alone() -> None:
    inbox = Inbox(100)
    inbox.put("x" * 1000)
    assert inbox.take(1, None) == ["x" * 1000]
    inbox.release(1)
    inbox.put("y")
    assert (len(inbox), inbox.take(2, 0)) == (1, [])
