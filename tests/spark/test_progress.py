"""An application moves from Spark to our consumer and back, by its lease table: nothing is left out or repeated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from structured import Batches, needs_spark_42, options, source

from tests.conftest import Feed, Ledger, Programs, Service, assert_in_order, stop, wait_until

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def run(spark: SparkSession, service: Service, stream: str, directory: Path, to: Any, **given: object) -> Any:
    """A query over what there is now."""
    writing = source(spark, service, stream, **given).writeStream.foreachBatch(to)
    return writing.option("checkpointLocation", str(directory)).trigger(availableNow=True).start()


def owners(service: Service, app: str) -> set[str | None]:
    return {lease.get("leaseOwner") for lease in service.leases(app).values()}


@needs_spark_42
def test_an_application_moves_from_spark_to_our_consumer_and_back(
    spark: SparkSession,
    service: Service,
    app: str,
    programs: Programs,
    ledger: Ledger,
    tmp_path: Path,
) -> None:
    stream = service.stream(2)
    kinesis = service.client("kinesis")
    feed = Feed(service, stream, keys=20)
    feed.put(10)
    first = Batches()
    assert run(spark, service, stream, tmp_path / "first", first, leaseTable=app).awaitTermination(240)
    assert set(first.values()) == feed.all()
    wait_until("the leases say so and are given back", lambda: feed.checkpointed(service, app), 30)
    wait_until("the leases are given back", lambda: owners(service, app) == {None}, 30)

    feed.put(5)
    kinesis.split_shard(StreamName=stream, ShardToSplit="shardId-000000000000", NewStartingHashKey=str(2**126))
    wait_until("the split is done", lambda: is_active(kinesis, stream), 30)
    feed.put(5)
    program = programs.ledger(service, app, stream, ledger)
    expected = feed.all() - set(first.values())
    wait_until("our consumer goes on", lambda: set(ledger.values()) == expected, 60)
    stop(program)
    assert sorted(ledger.values()) == sorted(expected), "nothing is there twice"

    feed.put(5)
    second = Batches()
    assert run(spark, service, stream, tmp_path / "second", second, leaseTable=app).awaitTermination(240)
    assert sorted(second.values()) == sorted(feed.all() - set(first.values()) - expected)
    assert_in_order(first.values() + ledger.values() + second.values())


@needs_spark_42
def test_a_place_inside_an_aggregate_is_written(
    spark: SparkSession,
    service: Service,
    app: str,
    programs: Programs,
    ledger: Ledger,
    tmp_path: Path,
) -> None:
    stream = service.stream(1)
    rows = [(f"key:{number}".encode(), "key") for number in range(50)]
    frame = spark.createDataFrame(rows, "data binary, partitionKey string").coalesce(1)
    frame.write.format("kinesis").mode("append").options(**options(service, stream)).save()
    seen: list[str] = []

    def two_batches(rows: Any, batch: int) -> None:
        if batch == 2:
            raise ValueError("this batch fails")
        seen.extend(bytes(row["data"]).decode() for row in rows.collect())

    query = run(spark, service, stream, tmp_path / "first", two_batches, leaseTable=app, maxRecordsPerTrigger=7)
    with pytest.raises(Exception, match="this batch fails"):
        query.awaitTermination(240)
    assert len(seen) == 14
    wait_until("the lease is given back", lambda: owners(service, app) == {None}, 30)
    lease = service.leases(app)["shardId-000000000000"]
    assert lease["checkpointSubSequenceNumber"] == "13"
    program = programs.ledger(service, app, stream, ledger)
    wait_until("our consumer goes on", lambda: len(ledger.values()) >= 36, 60)
    stop(program)
    assert seen + ledger.values() == [data.decode() for data, _ in rows]


def test_a_lease_that_another_worker_holds_ends_the_query(
    spark: SparkSession,
    service: Service,
    app: str,
    programs: Programs,
    ledger: Ledger,
    tmp_path: Path,
) -> None:
    stream = service.stream(1)
    feed = Feed(service, stream, keys=5)
    feed.put(1)
    programs.ledger(service, app, stream, ledger, millstream__failoverTime="3s")
    wait_until("our consumer reads", lambda: len(ledger.values()) == 5, 60)
    writing = source(spark, service, stream, leaseTable=app, failoverTime="3s").writeStream.format("noop")
    query = writing.option("checkpointLocation", str(tmp_path / "checkpoint")).start()
    try:
        with feed.kept_up(rounds=1, every_s=0.2):
            wait_until("the query has ended", lambda: query.exception() is not None, 120)
    finally:
        query.stop()
    assert "is held by worker" in str(query.exception()) and "which runs" in str(query.exception())
    wait_until("our consumer goes on", lambda: set(ledger.values()) == feed.all(), 60)


def is_active(kinesis: Any, stream: str) -> bool:
    summary = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]
    return bool(summary["StreamStatus"] == "ACTIVE")
