"""What a `StreamingListener` hears."""

from __future__ import annotations

import queue
from typing import Any

import pytest

from millstream.streaming import StreamingContext, StreamingListener

WAIT_S = 10


class Recorder(StreamingListener):
    def __init__(self) -> None:
        self.events: queue.Queue[tuple[str, Any]] = queue.Queue()

    def onStreamingStarted(self, streamingStarted: Any) -> None:
        self.events.put(("started", streamingStarted))

    def onBatchSubmitted(self, batchSubmitted: Any) -> None:
        self.events.put(("batch submitted", batchSubmitted.batchInfo()))

    def onBatchStarted(self, batchStarted: Any) -> None:
        self.events.put(("batch started", batchStarted.batchInfo()))

    def onBatchCompleted(self, batchCompleted: Any) -> None:
        self.events.put(("batch completed", batchCompleted.batchInfo()))

    def onOutputOperationStarted(self, outputOperationStarted: Any) -> None:
        self.events.put(("output started", outputOperationStarted.outputOperationInfo()))

    def onOutputOperationCompleted(self, outputOperationCompleted: Any) -> None:
        self.events.put(("output completed", outputOperationCompleted.outputOperationInfo()))

    def heard(self) -> dict[str, Any]:
        """What is heard until the first batch is completed."""
        heard: dict[str, Any] = {}
        while "batch completed" not in heard:
            name, payload = self.events.get(timeout=WAIT_S)
            heard.setdefault(name, payload)
        return heard


def test_a_batch_is_heard_of_from_beginning_to_end(ssc: StreamingContext) -> None:
    recorder = Recorder()
    ssc.queueStream([[1, 2]]).pprint()
    ssc.addStreamingListener(recorder)
    ssc.start()
    heard = recorder.heard()
    order = ["started", "batch submitted", "batch started", "output started", "output completed", "batch completed"]
    assert list(heard) == order

    submitted, completed = heard["batch submitted"], heard["batch completed"]
    assert (submitted.processingStartTime(), submitted.processingEndTime()) == (-1, -1)
    assert (submitted.schedulingDelay(), submitted.processingDelay(), submitted.totalDelay()) == (-1, -1, -1)
    time_ms = completed.batchTime().milliseconds()
    assert heard["started"].time() <= time_ms
    assert str(completed.batchTime()) == f"{time_ms} ms"
    times = [time_ms, completed.submissionTime(), completed.processingStartTime(), completed.processingEndTime()]
    assert times == sorted(times)
    assert completed.totalDelay() == completed.schedulingDelay() + completed.processingDelay() == times[3] - times[1]
    assert completed.numRecords() == 0, "queued RDDs are not counted"
    [(number, info)] = completed.streamIdToInputInfo().items()
    assert (number, info.inputStreamId(), info.numRecords()) == (0, 0, 0)
    assert (info.metadata(), info.metadataDescription()) == ({}, None)

    started, ended = heard["output started"], heard["output completed"]
    assert (started.endTime(), started.startTime() <= ended.endTime()) == (-1, True)
    assert ended.batchTime().milliseconds() == time_ms
    assert (ended.id(), ended.failureReason()) == (0, None)
    assert ended.name() == ended.description()
    assert ended.name().startswith("pprint at ")
    assert completed.outputOperationInfos()[0].endTime() == ended.endTime()


def test_a_failure_is_told_with_its_reason(ssc: StreamingContext) -> None:
    recorder = Recorder()
    ssc.addStreamingListener(recorder)
    ssc.queueStream([[0]]).foreachRDD(lambda rdd: rdd.map(lambda n: 1 // n).collect())
    ssc.start()
    completed = recorder.heard()["batch completed"]
    assert "ZeroDivisionError" in completed.outputOperationInfos()[0].failureReason()


def test_a_listener_that_fails_harms_nothing(ssc: StreamingContext, capfd: pytest.CaptureFixture[str]) -> None:
    class Failing(StreamingListener):
        def onBatchStarted(self, batchStarted: Any) -> None:
            raise ValueError("no wish to listen")

    seen: queue.Queue[list[int]] = queue.Queue()
    ssc.addStreamingListener(Failing())
    ssc.queueStream([[1], [2]]).foreachRDD(lambda rdd: seen.put(rdd.collect()))
    ssc.start()
    assert [seen.get(timeout=WAIT_S), seen.get(timeout=WAIT_S)] == [[1], [2]]
    ssc.stop()
    assert "no wish to listen" in capfd.readouterr().err
