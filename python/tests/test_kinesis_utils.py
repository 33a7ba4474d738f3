"""`KinesisUtils.createStream`: both positional layouts, its checks, and what becomes of the records."""

from __future__ import annotations

import math
from typing import Any

import pytest

from millstream import SparkContext, StorageLevel
from millstream.errors import IllegalArgumentException
from millstream.rdd import RDD
from millstream.streaming import StreamingContext
from millstream.streaming.datasets import OwnDatasets
from millstream.streaming.kinesis import (
    InitialPositionInStream,
    KinesisUtils,
    MetricsLevel,
    bind_options,
    check_arguments,
    rows_of,
    utf8_decoder,
)
from millstream.streaming.kinesis_input import batch_of

LEVEL = StorageLevel.MEMORY_ONLY
LEADING = ("app", "stream", "http://127.0.0.1:9", "us-east-1", InitialPositionInStream.TRIM_HORIZON, 2)


@pytest.mark.parametrize(
    ("positional", "named", "expected"),
    [
        ((), {}, {"metricsLevel": 0, "storageLevel": StorageLevel.MEMORY_AND_DISK_2, "decoder": utf8_decoder}),
        # the layout up to PySpark 3.3
        ((LEVEL,), {}, {"storageLevel": LEVEL, "metricsLevel": 0}),
        ((LEVEL, "key", "secret", len), {}, {"awsAccessKeyId": "key", "awsSecretKey": "secret", "decoder": len}),
        (
            (LEVEL, None, None, utf8_decoder, "arn", "session", "id"),
            {},
            {"stsAssumeRoleArn": "arn", "stsSessionName": "session", "stsExternalId": "id"},
        ),
        ((LEVEL,), {"metricsLevel": 2, "decoder": len}, {"storageLevel": LEVEL, "metricsLevel": 2, "decoder": len}),
        # the layout from PySpark 3.4 on
        ((MetricsLevel.NONE,), {}, {"metricsLevel": 2, "storageLevel": StorageLevel.MEMORY_AND_DISK_2}),
        ((1, LEVEL, "key", "secret", len), {}, {"metricsLevel": 1, "storageLevel": LEVEL, "decoder": len}),
        ((1, LEVEL), {"stsSessionName": "s"}, {"storageLevel": LEVEL, "stsSessionName": "s"}),
        ((), {"storageLevel": LEVEL, "metricsLevel": 1}, {"storageLevel": LEVEL, "metricsLevel": 1}),
    ],
)
def test_both_positional_layouts(positional: Any, named: Any, expected: dict[str, Any]) -> None:
    bound = bind_options(positional, named)
    assert {name: bound[name] for name in expected} == expected
    assert len(bound) == 8


@pytest.mark.parametrize(
    ("positional", "named", "text"),
    [
        ((LEVEL,), {"storageLevel": LEVEL}, "multiple values for argument 'storageLevel'"),
        ((), {"decode": len}, "unexpected keyword argument 'decode'"),
        ((LEVEL, *[None] * 7), {}, "at most 14 positional arguments, 15 were given"),
        ((0, *[None] * 8), {}, "at most 15 positional arguments, 16 were given"),
    ],
)
def test_arguments_that_do_not_fit(positional: Any, named: Any, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        bind_options(positional, named)


@pytest.mark.parametrize(
    ("leading", "named", "text"),
    [
        ({4: 7}, {}, "Illegal InitialPositionInStream. Please use InitialPositionInStream.LATEST or "),
        ({4: "LATEST"}, {}, "Illegal InitialPositionInStream."),
        ({}, {"awsAccessKeyId": "AKID"}, "awsAccessKeyId is set but awsSecretKey is null"),
        ({}, {"awsSecretKey": "secret"}, "awsSecretKey is set but awsAccessKeyId is null"),
        ({}, {"stsSessionName": "s"}, "stsAssumeRoleArn, stsSessionName, and stsExternalId must all be defined or all"),
        ({}, {"stsAssumeRoleArn": "a", "stsSessionName": "s"}, "must all be defined or all be null"),
        ({0: ""}, {}, "kinesisAppName must be a string that is not empty"),
        ({1: None}, {}, "streamName must be a string that is not empty"),
        ({5: 0}, {}, "checkpointInterval must be a number of seconds above 0"),
        ({5: "2"}, {}, "checkpointInterval must be a number of seconds above 0"),
        ({5: math.nan}, {}, "checkpointInterval must be a number of seconds above 0 and at most 1000000000, not nan"),
        ({5: math.inf}, {}, "checkpointInterval must be"),
        ({5: 1e300}, {}, "checkpointInterval must be"),
        ({5: 10**400}, {}, "checkpointInterval must be"),
        ({0: "my app"}, {}, "kinesisAppName must be a valid name of a DynamoDB table, 3 to 255 characters of a-z, A-Z"),
        ({0: "ab"}, {}, "kinesisAppName must be a valid name"),
        ({0: "a" * 256}, {}, "kinesisAppName must be a valid name"),
        ({0: "größe"}, {}, "kinesisAppName must be a valid name"),
        ({0: "app\n"}, {}, "kinesisAppName must be a valid name"),
    ],
)
def test_arguments_that_are_refused(ssc: StreamingContext, leading: dict[int, Any], named: Any, text: str) -> None:
    arguments: list[Any] = [leading.get(place, value) for place, value in enumerate(LEADING)]
    with pytest.raises(IllegalArgumentException, match=text) as caught:
        KinesisUtils.createStream(ssc, *arguments, LEVEL, **named)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(("position", "name"), [(0, "LATEST"), (1, "TRIM_HORIZON")])
def test_initial_positions(position: int, name: str) -> None:
    assert check_arguments("a_1", "s", "e", "r", position, 0.5, bind_options((), {})) == name


def test_a_stream_is_made_of_the_arguments_and_the_configuration(ssc: StreamingContext) -> None:
    stream = KinesisUtils.createStream(ssc, *LEADING, LEVEL)
    assert stream.context() is ssc
    stream.pprint()


@pytest.mark.parametrize("name", ["a-1", "A.b_c", "x" * 255])
def test_applications_are_named_as_tables_may_be(ssc: StreamingContext, name: str) -> None:
    KinesisUtils.createStream(ssc, name, *LEADING[1:], LEVEL).pprint()


def test_one_application_reads_one_stream_as_often_as_one_likes(ssc: StreamingContext) -> None:
    streams = [KinesisUtils.createStream(ssc, *LEADING, LEVEL) for _ in range(3)]
    ssc.union(*streams).pprint()
    for changed, other in [(1, "second"), (2, "http://127.0.0.1:10"), (3, "eu-central-1")]:
        arguments: list[Any] = [other if place == changed else value for place, value in enumerate(LEADING)]
        with pytest.raises(IllegalArgumentException, match="use another application name for the second stream"):
            KinesisUtils.createStream(ssc, *arguments, LEVEL)
    KinesisUtils.createStream(ssc, "another-app", "second", *LEADING[2:], LEVEL).pprint()
    ssc.union(*streams, KinesisUtils.createStream(ssc, *LEADING, LEVEL)).pprint()


class Records:
    """A block as the native module gives it."""

    def __init__(self, *data: bytes) -> None:
        self.data = list(data)

    def data_list(self) -> list[bytes]:
        return self.data

    def utf8_list(self) -> list[str]:
        return [item.decode("utf-8") for item in self.data]


def batch_rdd(sc: SparkContext, blocks: Any, decoder: Any) -> RDD[Any]:
    settings: Any = None
    return batch_of(OwnDatasets(sc), blocks, settings, *rows_of(decoder))


BLOCKS: Any = [Records(b"a b", b"\xc3\xa9"), Records(), Records(b"c")]


def test_records_are_text_by_default_and_one_partition_a_block(sc: SparkContext) -> None:
    rdd = batch_rdd(sc, BLOCKS, utf8_decoder)
    assert rdd.glom().collect() == [["a b", "é"], [], ["c"]]
    assert batch_rdd(sc, [], utf8_decoder).isEmpty()


def test_a_decoder_of_ones_own_sees_the_bytes(sc: SparkContext) -> None:
    assert batch_rdd(sc, BLOCKS, lambda data: data).collect() == [b"a b", "é".encode(), b"c"]
    assert batch_rdd(sc, BLOCKS, len).map(lambda n: n + 1).collect() == [4, 3, 2]


def test_data_that_is_not_utf8_fails_the_batch(sc: SparkContext) -> None:
    bad: Any = [Records(b"\xff")]
    with pytest.raises(UnicodeDecodeError):
        batch_rdd(sc, bad, utf8_decoder).collect()
    assert utf8_decoder(None) is None
