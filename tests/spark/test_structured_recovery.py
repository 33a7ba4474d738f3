"""Nothing is lost, and batches stay what they were, when drivers and executors are killed, and while shards split."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from structured import Batches, Program, assert_replays_are_identical, options, source

from tests.conftest import Feed, Service, assert_in_order, wait_until

if TYPE_CHECKING:
    from cluster import Cluster
    from pyspark.sql import SparkSession


@pytest.mark.parametrize("inline_bytes", [1 << 20, 0], ids=["records in tasks", "ranges read again"])
def test_a_driver_killed_in_mid_batch_runs_the_same_batch_again(
    cluster: Cluster, service: Service, tmp_path: Path, inline_bytes: int
) -> None:
    stream = service.stream(2)
    feed = Feed(service, stream, keys=10)
    given = options(service, stream, inlineBytes=inline_bytes)
    program = Program(cluster.url, tmp_path / "program", given)
    try:
        program.hold(2)
        with feed.kept_up(rounds=5, every_s=0.1):
            program.wait_for("the program is in its batch 2", lambda: program.is_held(2))
        program.kill()
        feed.put(10)
        program.release(2)
        program = Program(cluster.url, tmp_path / "program", given)
        program.wait_for("all records are processed", lambda: set(program.values()) == feed.all())
    finally:
        program.stop()
    runs = program.runs()
    assert len(runs[2]) == 2 and assert_replays_are_identical(runs) >= 1
    assert sorted(runs) == list(range(len(runs))), "batch ids are contiguous"
    assert sorted(program.values()) == sorted(feed.all()), "nothing is there twice"
    assert_in_order(program.values())


def test_an_executor_killed_in_mid_batch_changes_nothing(cluster: Cluster, service: Service, tmp_path: Path) -> None:
    stream = service.stream(2)
    feed = Feed(service, stream, keys=10)
    others = set(cluster.executors())
    program = Program(cluster.url, tmp_path / "program", options(service, stream, inlineBytes=0))
    try:
        with feed.kept_up(rounds=5, every_s=0.05):
            program.wait_for("batches are run", lambda: len(program.runs()) >= 2)
            for executor in set(cluster.executors()) - others:
                seen = len(program.runs())
                os.kill(executor, signal.SIGKILL)
                program.wait_for("batches go on", lambda seen=seen: len(program.runs()) >= seen + 2)
        program.wait_for("all records are processed", lambda: set(program.values()) == feed.all())
    finally:
        program.stop()
    runs = program.runs()
    assert_replays_are_identical(runs)
    assert sorted(runs) == list(range(len(runs)))
    assert sorted(program.values()) == sorted(feed.all())
    assert_in_order(program.values())


def test_shards_split_and_merge_while_a_query_runs(spark: SparkSession, service: Service, tmp_path: Path) -> None:
    stream = service.stream(2)
    kinesis = service.client("kinesis")
    feed = Feed(service, stream, keys=20)
    batches = Batches()

    def start() -> object:
        writing = source(spark, service, stream).writeStream.foreachBatch(batches)
        return writing.option("checkpointLocation", str(tmp_path / "checkpoint")).start()

    def is_active() -> bool:
        return bool(
            kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["StreamStatus"] == "ACTIVE"
        )

    query = start()
    try:
        with feed.kept_up(rounds=2, every_s=0.05):
            wait_until("the first batch", lambda: batches.runs, 240)
            split = str(2**126)
            kinesis.split_shard(StreamName=stream, ShardToSplit="shardId-000000000000", NewStartingHashKey=split)
            wait_until("the split is done", is_active, 30)
            wait_until("the children are read", lambda: shards(batches) >= {2, 3}, 240)
            query.stop()
            # Nobody runs now.
            pair = {"ShardToMerge": "shardId-000000000002", "AdjacentShardToMerge": "shardId-000000000003"}
            kinesis.merge_shards(StreamName=stream, **pair)
            wait_until("the merge is done", is_active, 30)
            query = start()
            wait_until("the merged shard is read", lambda: 4 in shards(batches), 240)
        wait_until("all records are processed", lambda: len(set(batches.values())) == len(feed.all()), 240)
    finally:
        query.stop()
    assert_replays_are_identical(batches.runs)
    assert sorted(batches.values()) == sorted(feed.all())
    assert_in_order(batches.values())


def shards(batches: Batches) -> set[int]:
    """The numbers of the shards that records came of."""
    return {int(record[0][-4:]) for runs in batches.runs.copy().values() for record in runs[-1]}
