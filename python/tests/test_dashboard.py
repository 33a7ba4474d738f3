"""The web pages of a running program: what they say agrees with what a listener heard."""

from __future__ import annotations

import json
import queue
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from millstream import SparkConf, SparkContext
from millstream.errors import IllegalArgumentException
from millstream.streaming import StreamingContext, StreamingListener

WAIT_S = 10
TOKEN = "sixteen characters or more"


class Recorder(StreamingListener):
    """Hears of completed batches. It was added after the dashboard: what it has heard, the dashboard knows."""

    def __init__(self) -> None:
        self.completed: queue.Queue[Any] = queue.Queue()

    def onBatchCompleted(self, batchCompleted: Any) -> None:
        self.completed.put(batchCompleted.batchInfo())


@contextmanager
def running(build: Callable[[StreamingContext], None], **conf: str) -> Iterator[tuple[StreamingContext, Recorder]]:
    """A program with pages on any free port."""
    settings = SparkConf().set("spark.ui.port", "0").set("spark.app.id", "local-7")
    for key, value in conf.items():
        settings.set(f"spark.{key.replace('__', '.')}", value)
    ssc = StreamingContext(SparkContext("local", "shown", conf=settings), 0.05)
    recorder = Recorder()
    try:
        build(ssc)
        ssc.start()
        ssc.addStreamingListener(recorder)
        yield ssc, recorder
    finally:
        ssc.stop()


def ask(ssc: StreamingContext, path: str, **headers: str) -> Any:
    url = ssc.sparkContext.uiWebUrl
    assert url is not None
    with urllib.request.urlopen(urllib.request.Request(url + path, headers=headers), timeout=WAIT_S) as answer:
        text = answer.read().decode()
        return json.loads(text) if answer.headers["Content-Type"] == "application/json" else text


def streaming(ssc: StreamingContext, path: str) -> Any:
    return ask(ssc, f"/api/v1/applications/local-7/streaming/{path}")


def metrics(ssc: StreamingContext) -> dict[str, float]:
    lines = [line for line in ask(ssc, "/metrics").splitlines() if not line.startswith("#")]
    return {line.rpartition(" ")[0].partition("{")[0]: float(line.rpartition(" ")[2]) for line in lines}


def quiet(ssc: StreamingContext) -> None:
    ssc.queueStream([[1, 2]]).foreachRDD(lambda rdd: rdd.count())


def test_rest_says_what_a_listener_heard() -> None:
    with running(quiet) as (ssc, recorder):
        heard = [recorder.completed.get(timeout=WAIT_S) for _ in range(3)]
        [application] = ask(ssc, "/api/v1/applications")
        assert (application["id"], application["name"]) == ("local-7", "shown")
        assert application["attempts"][0]["startTimeEpoch"] == ssc.sparkContext.startTime
        for info in heard:
            time_ms = info.batchTime().milliseconds()
            batch = streaming(ssc, f"batches/{time_ms}")
            assert (batch["batchId"], batch["status"], batch["batchDuration"]) == (time_ms, "COMPLETED", 50)
            delays = [batch["schedulingDelay"], batch["processingTime"], batch["totalDelay"]]
            assert delays == [info.schedulingDelay(), info.processingDelay(), info.totalDelay()]
            assert (batch["inputSize"], batch["numCompletedOutputOps"]) == (info.numRecords(), 1)
            [operation] = streaming(ssc, f"batches/{time_ms}/operations")
            output = info.outputOperationInfos()[0]
            assert operation["duration"] == output.endTime() - output.startTime()
            assert operation["name"] == output.name()
        statistics = streaming(ssc, "statistics")
        assert statistics["numTotalCompletedBatches"] >= 3
        assert (statistics["batchDuration"], statistics["numReceivers"]) == (50, 0)
        [receiver] = streaming(ssc, "receivers")
        assert (receiver["streamName"], "isActive" in receiver) == ("queue", False)
        assert heard[0].batchTime().milliseconds() in [time_ms for time_ms, _ in receiver["eventRates"]]
        measured = metrics(ssc)
        assert measured["spark_streaming_driver_totalCompletedBatches"] >= 3
        assert measured["millstream_batch_interval_seconds"] == 0.05


def test_a_failure_is_shown_with_the_programs_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    def divide(rdd: Any) -> None:
        rdd.map(lambda number: 1 // number).collect()

    with running(lambda ssc: ssc.queueStream([[0]]).foreachRDD(divide)) as (ssc, recorder):
        info = recorder.completed.get(timeout=WAIT_S)
        while info.outputOperationInfos()[0].failureReason() is None:
            info = recorder.completed.get(timeout=WAIT_S)
        batch = streaming(ssc, f"batches/{info.batchTime().milliseconds()}")
        reason = batch["firstFailureReason"]
        assert reason == info.outputOperationInfos()[0].failureReason()
        assert reason.startswith("Traceback (most recent call last):")
        first = reason.splitlines()[1]
        assert "test_dashboard.py" in first and first.endswith("in divide"), "frames of ours before are left out"
        assert reason.endswith("ZeroDivisionError: integer division or modulo by zero")
        assert batch["numFailedOutputOps"] == 1
        [operation] = streaming(ssc, f"batches/{batch['batchId']}/operations")
        assert operation["failureReason"] == reason
        assert 'millstream_batches_total{outcome="failed"} 1' in ask(ssc, "/metrics")
        with pytest.raises(ZeroDivisionError):
            ssc.awaitTermination(WAIT_S)
    assert "Traceback" not in capfd.readouterr().err, "the log has one line"


def test_so_many_batches_are_kept() -> None:
    with running(quiet, streaming__ui__retainedBatches="2") as (ssc, recorder):
        first, *_ = [recorder.completed.get(timeout=WAIT_S) for _ in range(4)]
        assert len(streaming(ssc, "batches?status=completed")) == 2
        with pytest.raises(urllib.error.HTTPError, match="404") as error:
            streaming(ssc, f"batches/{first.batchTime().milliseconds()}")
        assert error.value.read().decode() == f"unknown batch: {first.batchTime().milliseconds()}"


def test_a_taken_port_is_passed_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with running(quiet, ui__port=str(port)) as (ssc, _):
            assert ssc.sparkContext.uiWebUrl != f"http://127.0.0.1:{port}"
            assert streaming(ssc, "statistics")["batchDuration"] == 50


def test_without_a_free_port_the_program_runs(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with running(quiet, ui__port=port, port__maxRetries="0") as (ssc, recorder):
            assert ssc.sparkContext.uiWebUrl is None
            recorder.completed.get(timeout=WAIT_S)
    assert "the program runs without a dashboard" in capfd.readouterr().err


def test_pages_may_be_switched_off() -> None:
    with running(quiet, ui__enabled="false") as (ssc, recorder):
        assert ssc.sparkContext.uiWebUrl is None
        recorder.completed.get(timeout=WAIT_S)


def test_pages_go_with_the_context() -> None:
    with running(quiet) as (ssc, _):
        url = ssc.sparkContext.uiWebUrl
        assert url is not None and url.startswith("http://127.0.0.1:")
        ssc.stop(stopSparkContext=False)
        assert ssc.sparkContext.uiWebUrl is None
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(url, timeout=WAIT_S)


def test_other_machines_need_a_token() -> None:
    with running(quiet, millstream__ui__host="0.0.0.0", millstream__ui__token=TOKEN) as (ssc, _):
        for path in ["/streaming/", "/api/v1/applications", "/metrics", "/events/streaming"]:
            with pytest.raises(urllib.error.HTTPError, match="401"):
                ask(ssc, path)
        assert ask(ssc, "/api/v1/applications", Authorization=f"Bearer {TOKEN}")[0]["id"] == "local-7"


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("spark.millstream.ui.host", "0.0.0.0", "needs a token"),
        ("spark.millstream.ui.host", "everywhere", "is not an IP address"),
        ("spark.millstream.ui.token", "short", "at least 16 characters"),
        ("spark.ui.port", "http", "is not a whole number from 0 to 65535"),
        ("spark.ui.enabled", "perhaps", "should be boolean"),
        ("spark.streaming.ui.retainedBatches", "-1", "is not a whole number"),
    ],
)
def test_wrong_settings_are_refused(key: str, value: str, message: str) -> None:
    with (
        SparkContext("local", "refused", conf=SparkConf().set(key, value)) as sc,
        pytest.raises(IllegalArgumentException, match=message),
    ):
        StreamingContext(sc, 1)


def test_a_receivers_error_is_shown() -> None:
    # Nobody listens there.
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    def build(ssc: StreamingContext) -> None:
        ssc.socketTextStream("127.0.0.1", port).foreachRDD(lambda rdd: None)

    with running(build, streaming__receiverRestartDelay="10") as (ssc, recorder):
        receiver = streaming(ssc, "receivers/0")
        while "lastErrorMessage" not in receiver:
            recorder.completed.get(timeout=WAIT_S)
            receiver = streaming(ssc, "receivers/0")
        assert (receiver["streamName"], streaming(ssc, "statistics")["numReceivers"]) == ("SocketReceiver", 1)
        assert "ConnectionRefusedError" in receiver["lastError"]
