"""`KinesisInputDStream.builder`: what it asks for, and what message handlers get."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from millstream import SparkContext, StorageLevel, _millstream
from millstream.errors import IllegalArgumentException
from millstream.rdd import RDD
from millstream.streaming import StreamingContext
from millstream.streaming.kinesis import InitialPositionInStream, MetricsLevel
from millstream.streaming.kinesis_builder import (
    Builder,
    KinesisInitialPositions,
    KinesisInputDStream,
    SparkAWSCredentials,
)
from millstream.streaming.kinesis_rows import KinesisBlocks, KinesisRecord, record_rows


def builder(ssc: StreamingContext) -> Builder:
    return KinesisInputDStream.builder.streamingContext(ssc).streamName("words").checkpointAppName("app")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the native input is asked for."""
    original, found = _millstream.KinesisInput, {}

    def make(**arguments: Any) -> Any:
        found.update(arguments)
        if arguments["initial"].startswith("AT_TIMESTAMP"):
            arguments["initial"] = "LATEST"
        return original(**arguments)

    monkeypatch.setattr(_millstream, "KinesisInput", make)
    return found


def test_defaults_are_sparks(ssc: StreamingContext, asked: dict[str, Any]) -> None:
    builder(ssc).build().pprint()
    for name in ("conf", "make"):
        del asked[name]
    assert asked == {
        "app": "app",
        "stream": "words",
        "endpoint": "https://kinesis.us-east-1.amazonaws.com",
        "region": "us-east-1",
        "initial": "LATEST",
        "checkpoint_interval_s": 0.05,
        "batch_interval_s": 0.05,
        "access_key": None,
        "secret": None,
        "role_arn": None,
        "session_name": None,
        "external_id": None,
    }


def test_every_setter(ssc: StreamingContext, asked: dict[str, Any]) -> None:
    credentials = SparkAWSCredentials.builder.basicCredentials("key", "secret").stsCredentials("arn", "session").build()
    stream = (
        builder(ssc)
        .endpointUrl("http://127.0.0.1:9")
        .regionName("eu-west-1")
        .initialPosition(KinesisInitialPositions.AtTimestamp(datetime(2024, 1, 1, tzinfo=UTC)))
        .checkpointInterval(7)
        .storageLevel(StorageLevel.MEMORY_ONLY)
        .kinesisCredentials(credentials)
        .dynamoDBCredentials(credentials)
        .cloudWatchCredentials(SparkAWSCredentials())
        .metricsLevel(MetricsLevel.NONE)
        .metricsEnabledDimensions({"Operation"})
        .buildWithMessageHandler(lambda record: record.partition_key)
    )
    stream.pprint()
    assert asked["initial"] == "AT_TIMESTAMP 1704067200000"
    assert (asked["endpoint"], asked["region"], asked["checkpoint_interval_s"]) == (
        "http://127.0.0.1:9",
        "eu-west-1",
        7,
    )
    assert (asked["access_key"], asked["secret"], asked["role_arn"], asked["session_name"], asked["external_id"]) == (
        "key",
        "secret",
        "arn",
        "session",
        None,
    )
    builder(ssc).initialPositionInStream(InitialPositionInStream.TRIM_HORIZON)
    assert KinesisInitialPositions.fromKinesisInitialPosition(1).name == "TRIM_HORIZON"


@pytest.mark.parametrize("missing", ["streamingContext", "streamName", "checkpointAppName"])
def test_what_is_required(ssc: StreamingContext, missing: str) -> None:
    given = {"streamingContext": ssc, "streamName": "words", "checkpointAppName": "app"}
    made = KinesisInputDStream.builder
    for name, value in given.items():
        if name != missing:
            getattr(made, name)(value)
    with pytest.raises(IllegalArgumentException, match=f"No value provided for required parameter {missing}"):
        made.build()


def test_credentials_do_not_show_what_is_secret() -> None:
    given = SparkAWSCredentials.builder.basicCredentials("key", "hidden-key").stsCredentials("arn", "name", "hidden-id")
    assert repr(given.build()) == "SparkAWSCredentials(access_key='key', role_arn='arn', session_name='name')"


def test_one_identity_for_both_services(ssc: StreamingContext) -> None:
    other = SparkAWSCredentials.builder.basicCredentials("other", "secret").build()
    with pytest.raises(IllegalArgumentException, match="dynamoDBCredentials must be the same"):
        builder(ssc).dynamoDBCredentials(other).build()


class Block:
    """As the native one."""

    shard, stream = "shard-0", "words"

    def data_list(self) -> list[bytes]:
        return [b"x"]

    def partition_keys(self) -> list[str]:
        return ["key"]

    def sequence_numbers(self) -> list[str]:
        return ["49"]

    def sub_sequence_numbers(self) -> list[int]:
        return [2]

    def arrival_times(self) -> list[int]:
        return [1_700_000_000_500]


def test_a_handler_sees_all_of_a_record(sc: SparkContext) -> None:
    blocks: Any = [Block()]
    rdd: RDD[Any] = RDD(KinesisBlocks(blocks, record_rows), sc)
    arrived = datetime(2023, 11, 14, 22, 13, 20, 500_000, UTC)
    expected = KinesisRecord(b"x", "key", "49", 2, "shard-0", arrived, "words")
    assert rdd.collect() == [expected]
    assert rdd.map(lambda record: (record.shard_id, record.partition_key)).collect() == [("shard-0", "key")]
