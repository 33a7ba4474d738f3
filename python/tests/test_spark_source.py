"""Options, offsets and what the driver reads ahead, without Spark."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from millstream.kinesis_client import Range
from millstream.spark.ahead import Ahead, LostShards
from millstream.spark.offsets import Offset, tasks
from millstream.spark.options import Options
from millstream.spark.progress import Progress
from millstream.spark.values import InvalidOption

STREAM = {"streamName": "words"}


def test_names_of_both_connectors_mean_the_same() -> None:
    awslabs = {
        "kinesis.streamName": "words",
        "kinesis.endpointUrl": "https://kinesis.eu-west-1.amazonaws.com",
        "kinesis.startingPosition": "TRIM_HORIZON",
        "kinesis.consumerType": "SubscribeToShard",
        "kinesis.consumerName": "one",
        "kinesis.getRecords.fetchIntervalMs": "250",
        "kinesis.stsRoleArn": "arn:aws:iam::1:role/reader",
        "kinesis.stsSessionName": "spark",
        "kinesis.metadataPath": "/somewhere",
    }
    databricks = {
        "STREAMNAME": "words",
        "endpoint": "https://kinesis.eu-west-1.amazonaws.com",
        "region": "eu-west-1",
        "initialPosition": "TRIM_HORIZON",
        "consumerMode": "efo",
        "consumerName": "one",
        "minFetchPeriod": "250ms",
        "roleArn": "arn:aws:iam::1:role/reader",
        "roleSessionName": "spark",
        "shardsPerTask": "1",
    }
    one, other = Options.of(awslabs), Options.of(databricks)
    assert one.client == other.client and one.consumer == other.consumer == "one"
    assert one.client.region == "eu-west-1" and one.client.read_interval_ms == 250


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "name one stream"),
        ({"streamName": "a,b"}, "name one stream"),
        (STREAM | {"strteamName": "x"}, "unknown options: strteamName"),
        (STREAM | {"kinesis.streamName": "other"}, "given twice"),
        (STREAM | {"initialPosition": "yesterday"}, "none of latest"),
        (STREAM | {"initialPosition": "at_timestamp"}, "none of latest"),
        (STREAM | {"initialPosition": '{"at": 1}'}, "expected"),
        (STREAM | {"consumerMode": "push"}, "none of polling"),
        (STREAM | {"consumerMode": "efo"}, "consumerName"),
        (STREAM | {"awsAccessKey": "AKIA"}, "belong together"),
        (STREAM | {"roleArn": "arn"}, "belong together"),
        (STREAM | {"endpoint": "localhost:4566"}, "not a URL"),
        (STREAM | {"maxRecordsPerTrigger": "0"}, "whole number from 1"),
        (STREAM | {"maxBytesPerTrigger": "many"}, "number of bytes"),
        (STREAM | {"failOnDataLoss": "maybe"}, "neither true nor false"),
        (STREAM | {"describeShardInterval": "1 fortnight"}, "not a time"),
        (STREAM | {"startingTimestamp": "noon"}, "not a time"),
        (STREAM | {"dynamodbEndpoint": "localhost:8000"}, "not a URL"),
        (STREAM | {"leaseTable": "one", "applicationName": "other"}, "given twice"),
    ],
)
def test_wrong_options_are_refused_by_name(given: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidOption, match=message):
        Options.of(given)


def test_no_secret_is_shown() -> None:
    options = Options.of(STREAM | {"awsAccessKey": "AKIA", "awsSecretKey": "hidden-1", "sessionToken": "hidden-2"})
    assert "AKIA" in repr(options) and "hidden" not in repr(options)
    assert pickle.loads(pickle.dumps(options)) == options


def test_an_offset_is_read_back_as_it_was_written() -> None:
    batch = [Range("shardId-1", "49:0", "50:7", 12)]
    offset = Offset("words", "LATEST 1700000000000", {"shardId-0": "SHARD_END", "shardId-1": "50:7"}, batch)
    assert Offset.of(json.loads(json.dumps(offset.as_dict())), "words") == offset
    with pytest.raises(InvalidOption, match="is of stream words and not of other"):
        Offset.of(offset.as_dict(), "other")
    with pytest.raises(InvalidOption, match="can't read"):
        Offset.of({"shard": 1}, "words")


def test_tasks_have_all_ranges_and_as_many_as_asked_for() -> None:
    batch = [Range(f"shardId-{number}", "1:0", "2:0", number) for number in range(7)]
    assert [len(ranges) for ranges in tasks(batch, 3)] == [3, 2, 2]
    assert sorted(part.records for ranges in tasks(batch, 3) for part in ranges) == list(range(7))
    assert tasks([], 3) == []


class Scripted:
    """A prefetcher that gives what a test says."""

    def __init__(self, offset: Offset) -> None:
        self.offset = offset
        self.answers: list[Any] = []
        self.gone: list[str] = []
        self.until_ms: int | None = None
        self.is_stopped = False

    def lost(self) -> list[str]:
        return self.gone

    def stop_at(self, until_ms: int) -> None:
        self.until_ms = until_ms

    def take(self, **limits: Any) -> Any:
        return self.answers.pop(0)

    def status(self) -> list[Any]:
        return []

    def stop(self) -> None:
        self.is_stopped = True


class World:
    """What is read ahead of one query."""

    def __init__(self, gone: list[str] | None = None, **options: str) -> None:
        self.made: list[Scripted] = []
        self.gone = gone or []
        self.ahead = Ahead(Options.of(STREAM | options), self.make)  # type: ignore[arg-type]
        self.start = Offset("words", "TRIM_HORIZON", {"s0": "1:0"}).as_dict()

    def make(self, offset: Offset) -> Any:
        prefetcher = Scripted(offset)
        prefetcher.gone = self.gone
        prefetcher.answers = [(taken(2), [("s0", "3:0")], False, False), (taken(5), [("s0", "8:0")], False, False)]
        self.made.append(prefetcher)
        return prefetcher


def taken(records: int) -> list[Any]:
    kept = [f"block of {records}"] if records < 5 else []
    return [("s0", "2:0", f"{records + 1}:0", records, 100 * records, kept)]


NOTHING: tuple[list[Any], list[Any], bool, bool] = ([], [("s0", "1:0")], False, False)


def test_where_nothing_is_read_the_offset_stays_as_it_is() -> None:
    world = World()
    end = world.ahead.take(world.start, None, None)
    assert end["shards"] == {"s0": "3:0"} and end["batch"] == {"s0": "2:0 3:0 2"}
    world.made[0].answers.insert(0, NOTHING)
    assert world.ahead.take(end, None, None) is end
    assert len(world.made) == 1


def test_a_query_that_asks_from_elsewhere_is_read_ahead_from_there() -> None:
    world = World()
    world.ahead.take(world.start, None, None)
    world.ahead.take(world.start, None, None)
    assert [prefetcher.is_stopped for prefetcher in world.made] == [True, False]
    assert world.made[1].offset.shards == {"s0": "1:0"}


def test_records_are_kept_for_the_last_batch_where_they_are_few() -> None:
    world = World()
    end = world.ahead.take(world.start, None, None)
    assert world.ahead.kept(end) == ["block of 2"]
    larger = world.ahead.take(end, None, None)
    assert world.ahead.kept(larger) is None and world.ahead.kept(end) is None


def test_behind_an_end_that_was_found_ahead_reading_begins_anew() -> None:
    world = World()
    world.ahead.take(world.start, None, None)
    ahead: Any = [("s0", "4:0", "900:0", None, 0, [])]
    world.made[0].answers = [(ahead, [("s0", "900:0")], False, True)]
    end = world.ahead.take(world.ahead._at or {}, None, None)
    assert end["batch"] == {"s0": "4:0 900:0 ?"} and world.made[0].is_stopped
    assert Offset.of(end, "words").batch == [Range("s0", "4:0", "900:0", None)]
    world.ahead.take(end, None, None)
    assert world.made[1].offset.shards == {"s0": "900:0"}


def test_with_a_time_to_stop_at_it_waits_until_there_is_something_or_nothing_is_left() -> None:
    world = World()
    world.ahead.stop_at(77)
    end = world.ahead.take(world.start, None, None)
    assert world.made[0].until_ms == 77
    world.made[0].answers[:0] = [NOTHING, NOTHING]
    last = world.ahead.take(end, None, None)
    assert last["batch"] == {"s0": "2:0 6:0 5"}
    world.made[0].answers[:0] = [NOTHING, ([], [], True, False)]
    assert world.ahead.take(last, None, None) is last


def test_shards_that_are_gone_are_an_error_unless_told_otherwise() -> None:
    with pytest.raises(LostShards, match="s0"):
        world = World(gone=["s0"])
        world.ahead.take(world.start, None, None)
    world = World(gone=["s0"], failOnDataLoss="false")
    assert world.ahead.take(world.start, None, None)["shards"] == {"s0": "3:0"}


class Table:
    """A lease table of which one lease has no place yet."""

    def __init__(self, since_ms: int | None) -> None:
        self.since_ms = since_ms
        self.written: list[Any] = []

    def places(self) -> Any:
        return [("s0", "7:1"), ("s1", "LATEST"), ("s2", "SHARD_END")], self.since_ms

    def processed(self, places: list[tuple[str, str]]) -> None:
        self.written.append(dict(places))

    def settle(self) -> None:
        self.written.append("settled")

    def release(self) -> None:
        self.written.append("released")


def test_a_query_begins_where_the_lease_table_says_and_writes_each_place_once() -> None:
    table = Table(77)
    progress = Progress(Options.of(STREAM | {"leaseTable": "app"}), lambda: table)  # type: ignore[arg-type, return-value]
    begin = progress.begin("TRIM_HORIZON")
    assert begin == Offset("words", "LATEST 77", {"s0": "7:1", "s1": "LATEST", "s2": "SHARD_END"})
    for _ in range(2):
        progress.processed(begin.as_dict())
    progress.stop()
    assert table.written == [begin.shards, "released"]


def test_of_a_query_that_ends_by_itself_each_batch_is_written_before_the_next() -> None:
    table = Table(77)
    progress = Progress(Options.of(STREAM | {"leaseTable": "app"}), lambda: table)  # type: ignore[arg-type, return-value]
    progress.will_end()
    offsets = [Offset("words", "LATEST 77", {"s0": place}) for place in ("7:1", "8:0")]
    for offset in offsets:
        progress.processed(offset.as_dict())
    assert table.written == [offsets[0].shards, "settled", offsets[1].shards, "settled"]


def test_without_a_lease_table_nothing_is_asked_or_written() -> None:
    progress = Progress(Options.of(STREAM), lambda: pytest.fail("a table is opened"))
    assert progress.begin("TRIM_HORIZON") == Offset("words", "TRIM_HORIZON")
    progress.processed(Offset("words", "TRIM_HORIZON").as_dict())
    progress.stop()


def test_a_spark_before_4_is_told_which_is_needed(tmp_path: Path) -> None:
    """Its `pyspark` has no `sql.datasource`."""
    (tmp_path / "pyspark" / "sql").mkdir(parents=True)
    (tmp_path / "pyspark" / "__init__.py").write_text("__version__ = '3.5.9'")
    (tmp_path / "pyspark" / "sql" / "__init__.py").touch()
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import millstream.spark.datasource"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "ImportError: millstream.spark needs Apache Spark 4.0 or later, whose data sources can be written in Python: "
        "pip install 'millstream[spark]'"
    )
