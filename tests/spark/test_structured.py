"""Structured Streaming on the cluster: what is read is what was put."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from structured import Batches, needs_spark_42, options, records, source

from tests.conftest import Feed, Service, assert_in_order, wait_until

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

POEM = ["to be or not to be", "that is the question", "to see or not to see"]


def test_word_count(spark: SparkSession, service: Service, tmp_path: Path) -> None:
    from pyspark.sql import functions as f

    stream = service.stream(2)
    kinesis = service.client("kinesis")
    counts = (
        source(spark, service, stream)
        .select(f.explode(f.split(f.col("data").cast("string"), " ")).alias("word"))
        .groupBy("word")
        .count()
    )
    seen: dict[str, int] = {}
    query = (
        counts.writeStream.outputMode("update")
        .option("checkpointLocation", str(tmp_path / "checkpoint"))
        .foreachBatch(lambda frame, _: seen.update((row["word"], row["count"]) for row in frame.collect()))
        .start()
    )
    try:
        expected: Counter[str] = Counter()
        for number, line in enumerate(POEM * 2):
            kinesis.put_record(StreamName=stream, PartitionKey=f"key{number}", Data=line.encode())
            expected.update(line.split(" "))
        wait_until("all words are counted", lambda: failed(query) or seen == expected, 240)
    finally:
        query.stop()


def test_windows_with_a_watermark(spark: SparkSession, service: Service, tmp_path: Path) -> None:
    from pyspark.sql import functions as f

    stream = service.stream(2)
    feed = Feed(service, stream, keys=4)
    counts = (
        source(spark, service, stream)
        .withWatermark("approximateArrivalTimestamp", "1 second")
        .groupBy(f.window("approximateArrivalTimestamp", "1 second"))
        .count()
    )
    closed: list[tuple[Any, int]] = []
    query = (
        counts.writeStream.outputMode("append")
        .option("checkpointLocation", str(tmp_path / "checkpoint"))
        .foreachBatch(lambda frame, _: closed.extend((row[0]["start"], row[1]) for row in frame.collect()))
        .start()
    )
    try:
        feed.put(25)
        with feed.kept_up(rounds=1, every_s=0.3):
            wait_until(
                "the windows of the first 100 records are closed", lambda: failed(query) or total(closed) >= 100, 120
            )
        assert len({start for start, _ in closed}) == len(closed), "a window is closed once"
    finally:
        query.stop()


def total(windows: list[tuple[Any, int]]) -> int:
    return sum(count for _, count in windows)


@needs_spark_42
def test_available_now_goes_in_slices_and_leaves_what_comes_later(
    spark: SparkSession, service: Service, tmp_path: Path
) -> None:
    stream = service.stream(2)
    feed = Feed(service, stream, keys=10)
    feed.put(100)
    batches = Batches()
    frame = source(spark, service, stream, maxRecordsPerTrigger=300)

    def run() -> Any:
        checkpoint = str(tmp_path / "checkpoint")
        writing = frame.writeStream.foreachBatch(batches).option("checkpointLocation", checkpoint)
        return writing.trigger(availableNow=True).start()

    with feed.kept_up(rounds=1, every_s=0.05):
        query = run()
        assert query.awaitTermination(240)
    sizes = [len(runs[-1]) for runs in batches.runs.values()]
    assert max(sizes) <= 300 and sum(sizes) >= 1_000 and len(sizes) >= 4, sizes
    assert_in_order(batches.values())
    run().awaitTermination(240)
    assert sorted(batches.values()) == sorted(feed.all())
    assert run().awaitTermination(240), "nothing is left, and it ends"
    assert sorted(batches.values()) == sorted(feed.all())


@needs_spark_42
def test_bytes_of_a_batch_are_bounded(spark: SparkSession, service: Service, tmp_path: Path) -> None:
    stream = service.stream(1)
    kinesis = service.client("kinesis")
    for number in range(20):
        kinesis.put_record(StreamName=stream, PartitionKey="key", Data=f"key:{number}".encode().ljust(10_000))
    batches = Batches()
    query = (
        source(spark, service, stream, maxBytesPerTrigger="50k", inlineBytes=0)
        .writeStream.foreachBatch(batches)
        .option("checkpointLocation", str(tmp_path / "checkpoint"))
        .trigger(availableNow=True)
        .start()
    )
    assert query.awaitTermination(240)
    assert [len(runs[-1]) for runs in batches.runs.values()] == [5, 5, 5, 5]


def test_a_range_of_time_is_read_as_a_batch(spark: SparkSession, service: Service) -> None:
    stream = service.stream(2)
    feed = Feed(service, stream, keys=10)
    feed.put(10)
    between = time.time()
    wait_until("a moment that is between the records", lambda: time.time() > between + 0.01, 5)
    feed.put(10)

    def read(**more: object) -> list[str]:
        frame = spark.read.format("kinesis").options(**options(service, stream, **more)).load()
        return [record[3] for record in records(frame)]

    assert sorted(read()) == sorted(feed.all())
    before, after = read(endingTimestamp=int(between * 1_000) + 5), read(startingTimestamp=int(between * 1_000) + 5)
    assert len(before) == len(after) == 100
    assert sorted(before + after) == sorted(feed.all())


@pytest.mark.parametrize("aggregation", ["true", "false"])
def test_what_is_written_is_read(spark: SparkSession, service: Service, tmp_path: Path, aggregation: str) -> None:
    origin, copy = service.stream(2), service.stream(3)
    feed = Feed(service, origin, keys=50)
    feed.put(20)
    query = (
        source(spark, service, origin)
        .select("partitionKey", "data")
        .writeStream.format("kinesis")
        .options(**options(service, copy))
        .option("kinesis.sink.aggregationEnabled", aggregation)
        .option("checkpointLocation", str(tmp_path / "checkpoint"))
        .trigger(availableNow=True)
        .start()
    )
    assert query.awaitTermination(240)
    frame = spark.read.format("millstream").options(**options(service, copy)).load()
    rows = frame.collect()
    assert sorted(bytes(row["data"]).decode() for row in rows) == sorted(feed.all())
    assert all(bytes(row["data"]).decode().split(":")[0] == row["partitionKey"] for row in rows)
    assert (len({(row["shardId"], row["sequenceNumber"]) for row in rows}) < len(rows) / 5) == (aggregation == "true")


def test_what_is_wrong_is_said(spark: SparkSession, service: Service, tmp_path: Path) -> None:
    def fails(**given: object) -> str:
        with pytest.raises(Exception) as raised:
            frame = spark.readStream.format("kinesis").options(**{name: str(it) for name, it in given.items()}).load()
            writing = frame.writeStream.format("noop").option("checkpointLocation", str(tmp_path / "none"))
            writing.trigger(availableNow=True).start().awaitTermination(240)
        return str(raised.value)

    good = options(service, "no-such-stream")
    assert "does not exist" in fails(**good)
    assert "unknown options: numberofshards" in fails(**good, numberOfShards=3).lower()
    assert "consumerName" in fails(**good, consumerMode="efo")
    assert "name one stream" in fails(region="us-east-1")
    frame = spark.read.format("kinesis").options(**options(service, service.stream(1))).load()
    with pytest.raises(Exception, match="the sink needs a column `data`"):
        frame.select("shardId").write.format("kinesis").mode("append").options(**good).save()


def failed(query: Any) -> bool:
    """Raises what ended the query."""
    if query.exception() is not None:
        raise query.exception()
    return False
