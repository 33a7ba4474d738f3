"""What streams read of the configuration, and what they say to values and keys that mean nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from millstream import SparkConf, SparkContext, _millstream
from millstream.errors import IllegalArgumentException
from millstream.streaming import StreamingContext, StreamingListener
from millstream.streaming.idle_settings import IDLE
from millstream.streaming.kinesis import InitialPositionInStream, KinesisUtils
from millstream.streaming.rates import backpressure, max_rate
from millstream.streaming.settings import KNOWN, carried_bytes, stop_timeout_ms, stops_gracefully

GRACEFULLY = "spark.streaming.stopGracefullyOnShutdown"
TIMEOUT = "spark.streaming.gracefulStopTimeout"
BACKPRESSURE = "spark.streaming.backpressure"
_PID = ("proportional", "integral", "derived", "minRate")
_BACKPRESSURE = ("enabled", "initialRate", "rateEstimator", *(f"pid.{name}" for name in _PID))
SPARKS = (
    GRACEFULLY,
    TIMEOUT,
    "spark.streaming.checkpoint.directory",
    "spark.streaming.receiver.maxRate",
    "spark.streaming.receiverRestartDelay",
    "spark.streaming.fileStream.minRememberDuration",
    "spark.streaming.minRememberDuration",
    "spark.streaming.extraListeners",
    "spark.streaming.ui.retainedBatches",
    "spark.ui.enabled",
    "spark.ui.port",
    "spark.port.maxRetries",
    "spark.master",
    "spark.app.name",
    "spark.app.id",
    "spark.default.parallelism",
    "spark.task.maxFailures",
    "spark.submit.pyFiles",
    *(f"{BACKPRESSURE}.{name}" for name in _BACKPRESSURE),
)
ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = ROOT / "docs" / "configuration.md"
NATIVE = ROOT / "crates" / "millstream-python" / "src"


def configured(*pairs: tuple[str, str]) -> SparkConf:
    return SparkConf().setAll(list(pairs))


def context(*pairs: tuple[str, str]) -> StreamingContext:
    return StreamingContext(SparkContext(conf=configured(*pairs)), 0.05)


@pytest.fixture(autouse=True)
def one_context_a_test() -> Any:
    yield
    SparkContext.getOrCreate().stop()


@pytest.mark.parametrize(("value", "expected"), [("true", True), (" TRUE ", True), ("False", False)])
def test_booleans(value: str, expected: bool) -> None:
    assert stops_gracefully(configured((GRACEFULLY, value))) is expected


@pytest.mark.parametrize("value", ["maybe", "", "1"])
def test_what_is_not_a_boolean_is_refused_before_anything_runs(value: str) -> None:
    with pytest.raises(IllegalArgumentException, match=f"^{GRACEFULLY} should be boolean, but was {value}$"):
        context((GRACEFULLY, value))


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1500", 1_500), ("20ms", 20), ("3s", 3_000), (" 2 Min ", 120_000), ("2m", 120_000), ("1h", 3_600_000),
     ("1d", 86_400_000), ("7000us", 7)],
)  # fmt: skip
def test_times(value: str, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    monkeypatch.setattr(_millstream, "Engine", lambda *arguments: made.append(arguments))
    context((TIMEOUT, value))
    assert made == [(50, expected, None, None)]


@pytest.mark.parametrize("value", ["0", "", "s", "-1s", "1.5s", "1 week", "1us", "9" * 5000, "999999999d", "٣s"])
def test_what_is_not_a_time_is_refused(value: str) -> None:
    with pytest.raises(IllegalArgumentException, match=f"^{TIMEOUT}=.* is not a time above 0; write 500ms, 10s"):
        context((TIMEOUT, value))


def test_a_time_that_is_not_set_is_left_to_the_engine() -> None:
    assert stop_timeout_ms(SparkConf()) is None


def test_unknown_keys_are_named_once_with_the_nearest_known_one(capsys: pytest.CaptureFixture[str]) -> None:
    ssc = context(
        ("spark.millstream.failovertime", "10s"),
        ("spark.millstream.readInterval", "200ms"),
        ("spark.millstream.bufferMiB", "64"),
        ("spark.milstream.bufferMiB", "64"),
    )
    for _ in range(2):
        KinesisUtils.createStream(
            ssc, "app", "stream", "http://127.0.0.1:9", "us-east-1", InitialPositionInStream.LATEST, 1
        )
    said = "millstream: spark.millstream.{} is not a setting and has no effect; the nearest is spark.millstream.{}\n"
    assert capsys.readouterr().err == (
        said.format("failovertime", "failoverTime") + said.format("readInterval", "kinesis.readInterval")
    )


RATES: list[tuple[dict[str, str], float | None, Any]] = [
    ({}, None, None),
    ({"receiver.maxRate": "500"}, 500.0, None),
    ({"receiver.maxRate": "-1", "backpressure.enabled": "false"}, None, None),
    ({"backpressure.enabled": "true"}, None, (None, 1.0, 0.2, 0.0, 100.0)),
    (
        {
            "backpressure.enabled": "TRUE",
            "backpressure.initialRate": "10",
            "backpressure.pid.proportional": "0.5",
            "backpressure.pid.integral": "0",
            "backpressure.pid.derived": "0.1",
            "backpressure.pid.minRate": "7",
        },
        None,
        (10.0, 0.5, 0.0, 0.1, 7.0),
    ),
]


@pytest.mark.parametrize(("settings", "most", "pressure"), RATES)
def test_rates_have_sparks_names_and_defaults(settings: dict[str, str], most: float | None, pressure: Any) -> None:
    conf = SparkConf().setAll([(f"spark.streaming.{key}", value) for key, value in settings.items()])
    assert (max_rate(conf), backpressure(conf)) == (most, pressure)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("receiver.maxRate", "fast", "receiver.maxRate=fast is not a number"),
        ("backpressure.pid.integral", "-1", "integral=-1 is not a number of 0 or more"),
        ("backpressure.pid.minRate", "0", "minRate=0 is not a number"),
        ("backpressure.rateEstimator", "guess", "Unknown rate estimator: guess"),
        ("backpressure.enabled", "perhaps", "should be boolean, but was perhaps"),
    ],
)
def test_rates_that_make_no_sense_are_refused(key: str, value: str, message: str) -> None:
    enabled = ("spark.streaming.backpressure.enabled", "true")
    with pytest.raises(IllegalArgumentException, match=message):
        context(enabled, (f"spark.streaming.{key}", value))


class Listener(StreamingListener):
    def __init__(self, conf: SparkConf) -> None:
        made.append(conf.get("spark.app.name"))


class Other(StreamingListener):
    def onStreamingStarted(self, streamingStarted: Any) -> None:
        made.append("started")


made: list[str | None] = []


def test_listeners_by_their_names() -> None:
    made.clear()
    ssc = context(("spark.streaming.extraListeners", f"{__name__}.Listener, {__name__}.Other"), ("spark.app.name", "x"))
    ssc.queueStream([[1]]).pprint()
    ssc.start()
    ssc.stop()
    assert made == ["x", "started"]


@pytest.mark.parametrize("name", ["no.such.Listener", f"{__name__}.NoListener", "Listener"])
def test_a_listener_that_is_not_there(name: str) -> None:
    with pytest.raises(IllegalArgumentException, match=f"extraListeners: there is no {name}"):
        context(("spark.streaming.extraListeners", name))


def test_a_key_with_nothing_to_do_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    context(("spark.streaming.blockInterval", "50ms"), ("spark.streaming.receiver.writeAheadLog.enable", "true"))
    first, second = capsys.readouterr().err.splitlines()
    assert (
        first
        == "millstream: spark.streaming.blockInterval has nothing to do: a partition is a shard, not a block of records"
    )
    assert second.startswith("millstream: spark.streaming.receiver.writeAheadLog.enable has nothing to do: a batch is ")


def listed() -> dict[str, str]:
    """The keys of the tables in the documentation, with the last column."""
    rows = re.findall(r"^\| `(spark\.\S+)` \|(?:.*\|)? (.+) \|$", CONFIGURATION.read_text(), re.MULTILINE)
    assert len(dict(rows)) == len(rows), "each key stands once"
    return dict(rows)


def test_the_documentation_lists_every_key_that_the_code_knows() -> None:
    idle = {f"{key}*" if key.endswith(".") else key: why for key, why in IDLE.items()}
    assert sorted(listed()) == sorted([*KNOWN, *SPARKS, *idle])
    assert {key: listed()[key] for key in idle} == idle


def test_every_key_that_is_listed_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: set[str] = set()

    def get(self: SparkConf, key: str, default: str | None = None) -> str | None:
        asked.add(key)
        return self._settings.get(key, default)

    monkeypatch.setattr(SparkConf, "get", get)
    ssc = StreamingContext(SparkContext("local[2]", conf=configured((f"{BACKPRESSURE}.enabled", "true"))), 1)
    ssc.textFileStream(str(tmp_path))
    ssc.socketTextStream("127.0.0.1", 9)
    assert ssc.sparkContext.applicationId and ssc.sparkContext.appName
    # With a cluster, when streams are made on it.
    assert carried_bytes(ssc.sparkContext.getConf()) == 1 << 20
    in_native = (path.read_text() for path in NATIVE.glob("*.rs"))
    asked |= set(re.findall(r"\"(spark\.[A-Za-z.]+)\"", "".join(in_native)))
    assert {key for key in (*KNOWN, *SPARKS) if key not in asked} == {"spark.submit.pyFiles"}, "which submit reads"
