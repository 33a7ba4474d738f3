"""The dashboard of programs that read Kinesis: shards, leases, ranges, metrics, and what is in monitoring/."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import urllib.request
from typing import Any

import pytest

from conftest import REGION, ROOT, Feed, Ledger, Programs, Service, wait_until
from millstream import SparkConf, SparkContext
from millstream.streaming import StreamingContext
from millstream.streaming.kinesis import InitialPositionInStream, KinesisUtils
from millstream.testing import Faults

APP_ID = "local-7"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


class Shown:
    """A program that shows itself."""

    def __init__(self, url: str, process: subprocess.Popen[str] | None = None) -> None:
        self.url, self.process = url, process

    def text(self, path: str) -> str:
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return str(answer.read().decode())

    def rest(self, path: str) -> Any:
        return json.loads(self.text(f"/api/v1/applications/{APP_ID}/{path}"))

    def is_there(self) -> bool:
        try:
            return bool(self.rest("shards"))
        except OSError:
            return False


@pytest.fixture
def stream(service: Service) -> str:
    return service.stream(2)


@pytest.fixture
def shown(programs: Programs, service: Service, app: str, stream: str, ledger: Ledger) -> Shown:
    port = free_port()
    process = programs.ledger(service, app, stream, ledger, ui__port=str(port), app__id=APP_ID)
    shown = Shown(f"http://127.0.0.1:{port}", process)
    wait_until("the dashboard knows the shards", shown.is_there, 20)
    return shown


def test_shards_and_leases_are_those_of_the_lease_table(
    service: Service, app: str, stream: str, ledger: Ledger, shown: Shown
) -> None:
    feed = Feed(service, stream, keys=10)
    feed.put(rounds=5)
    wait_until("every record is processed", lambda: len(ledger.read()) == 50, 20)
    wait_until("the checkpoints follow", lambda: feed.checkpointed(service, app), 20)

    def agrees() -> bool:
        table = {key: (lease["leaseOwner"], lease["checkpoint"]) for key, lease in service.leases(app).items()}
        leases = {
            lease["leaseKey"]: (lease["owner"], lease["checkpoint"].partition(":")[0]) for lease in shown.rest("leases")
        }
        return leases == table

    wait_until("the dashboard shows the lease table", agrees, 10)
    assert all(lease["isOwn"] and lease["state"] == "reading" for lease in shown.rest("leases"))
    shards = shown.rest("shards")
    assert sum(shard["reading"]["totalRecords"] for shard in shards) == 50
    assert {shard["reading"]["queuedRecords"] for shard in shards} == {0}
    assert {(shard["application"], shard["stream"]) for shard in shards} == {(app, stream)}

    batches = [batch for batch in shown.rest("streaming/batches") if batch["inputSize"]]
    assert sum(batch["inputSize"] for batch in batches) == 50
    [input] = shown.rest(f"streaming/batches/{batches[0]['batchId']}/inputs")
    assert input["streamName"] == f"Kinesis stream {stream}"
    assert input["origins"] and all("shardId-" in line for line in input["origins"])
    assert "key0:" not in json.dumps(input), "no record's content is shown"


def test_refused_reads_are_counted(service: Service, stream: str, shown: Shown) -> None:
    # The SDK asks three times before the reader learns of it.
    Faults(service.endpoint).throttle(operation="GetRecords", stream=stream, times=12)
    throttled = lambda: sum((row["reading"] or {}).get("throttledReads", 0) for row in shown.rest("shards"))  # noqa: E731
    wait_until("refused reads are counted", lambda: throttled() > 0, 20)


def test_a_split_is_shown(service: Service, stream: str, shown: Shown) -> None:
    kinesis = service.client("kinesis")
    parent = kinesis.list_shards(StreamName=stream)["Shards"][0]
    keys = [int(parent["HashKeyRange"][end]) for end in ("StartingHashKey", "EndingHashKey")]
    kinesis.split_shard(
        StreamName=stream, ShardToSplit=parent["ShardId"], NewStartingHashKey=str((keys[0] + keys[1]) // 2 + 1)
    )

    def children() -> list[Any]:
        return [shard for shard in shown.rest("shards") if shard["parentShardIds"] == [parent["ShardId"]]]

    wait_until("both children are read", lambda: [shard["state"] for shard in children()] == ["reading"] * 2, 20)
    states = {shard["shardId"]: shard["state"] for shard in shown.rest("shards")}
    assert states[parent["ShardId"]] == "ended"
    assert int(children()[0]["endingHashKey"]) + 1 == int(children()[1]["startingHashKey"])


def test_the_shards_are_still_shown_when_the_stream_is_gone(service: Service, app: str, stream: str) -> None:
    conf = SparkConf().set("spark.ui.port", "0").set("spark.app.id", APP_ID)
    ssc = StreamingContext(SparkContext("local", "gone", conf=conf), 0.1)
    KinesisUtils.createStream(
        ssc, app, stream, service.endpoint, REGION, InitialPositionInStream.TRIM_HORIZON, 0.1,
        awsAccessKeyId="test", awsSecretKey="test",
    ).foreachRDD(lambda rdd: None)  # fmt: skip
    ssc.start()
    try:
        shown = Shown(str(ssc.sparkContext.uiWebUrl))
        wait_until(
            "both shards are read", lambda: [row["state"] for row in shown.rest("shards")] == ["reading"] * 2, 20
        )
        service.client("kinesis").delete_stream(StreamName=stream)
        gone = f'millstream_stream_is_read{{application="{app}",stream="{stream}"}} 0'
        wait_until("the dashboard says that reading has ended", lambda: gone in shown.text("/metrics"), 30)
        assert [row["reading"] for row in shown.rest("shards")] == [None, None]
        assert shown.rest("streaming/statistics")["numTotalCompletedBatches"] > 0
    finally:
        ssc.stop()


def test_prometheus_and_grafana_find_every_metric_they_ask_for(
    service: Service, app: str, stream: str, ledger: Ledger, shown: Shown
) -> None:
    Feed(service, stream, keys=1).put(rounds=1)
    wait_until("a record is processed", lambda: ledger.read(), 20)
    metrics = shown.text("/metrics")
    there = set(re.findall(r"^# TYPE (\w+)", metrics, re.MULTILINE))
    samples = [line for line in metrics.splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r'\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? -?[0-9.e+-]+', line) for line in samples)
    asked = "\\b((?:kcl|millstream|spark_streaming_driver)_\\w+)"

    dashboard = json.loads((ROOT / "monitoring" / "grafana.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    queries += [variable["query"] for variable in dashboard["templating"]["list"]]
    alerts = re.sub(r"(?m)^\s*(#|description:).*$", "", (ROOT / "monitoring" / "alerts.yml").read_text())
    for name in re.findall(asked, "\n".join(queries) + alerts):
        assert name in there, name
    labels = {label for line in samples for label in re.findall(r'[{,](\w+)="', line)}
    assert labels >= {"application", "stream", "ShardId", "shard", "worker", "outcome", "name", "app_name"}


def test_a_program_that_is_stopped_takes_its_dashboard_along(shown: Shown) -> None:
    assert shown.process is not None
    shown.process.terminate()
    shown.process.wait(timeout=30)
    with pytest.raises(OSError, match="refused"):
        shown.text("/metrics")


def test_promtool_takes_metrics_and_rules(shown: Shown) -> None:
    try:
        checked = subprocess.run(
            ["promtool", "check", "rules", str(ROOT / "monitoring" / "alerts.yml")], capture_output=True, text=True
        )
    except FileNotFoundError:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    metrics = shown.text("/metrics")
    linted = subprocess.run(["promtool", "check", "metrics"], input=metrics, capture_output=True, text=True)
    # It would have Spark's and the KCL's names in another form.
    complaints = [line for line in (linted.stdout + linted.stderr).splitlines() if line.startswith("millstream_")]
    assert complaints == []
    assert "error while linting" not in linted.stderr
