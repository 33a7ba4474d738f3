"""Streams from Amazon Kinesis, with the API of ``pyspark.streaming.kinesis``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, overload

from millstream.errors import IllegalArgumentException
from millstream.storagelevel import StorageLevel
from millstream.streaming.dstream import DStream
from millstream.streaming.kinesis_input import KinesisSettings, kinesis_stream
from millstream.streaming.kinesis_rows import RowsOf, data_rows, text_rows
from millstream.streaming.settings import LONGEST_S

if TYPE_CHECKING:
    from millstream.streaming.context import StreamingContext

__all__ = ["InitialPositionInStream", "KinesisUtils", "MetricsLevel", "utf8_decoder"]


class InitialPositionInStream:
    """Where an application begins that has no checkpoint yet."""

    LATEST, TRIM_HORIZON = 0, 1


class MetricsLevel:
    """How much the Kinesis client reports to CloudWatch. Millstream reports nothing there yet."""

    DETAILED, SUMMARY, NONE = 0, 1, 2


def utf8_decoder(s: bytes | None) -> str | None:
    """Decodes a record's data as UTF-8; as the default decoder it is done for all records at once."""
    return None if s is None else s.decode("utf-8")


class KinesisUtils:
    """Makes streams from Kinesis."""

    @overload
    @staticmethod
    def createStream(
        ssc: StreamingContext,
        kinesisAppName: str,
        streamName: str,
        endpointUrl: str,
        regionName: str,
        initialPositionInStream: int,
        checkpointInterval: float,
        metricsLevel: int = ...,
        storageLevel: StorageLevel = ...,
        awsAccessKeyId: str | None = ...,
        awsSecretKey: str | None = ...,
        decoder: Callable[[bytes], Any] = ...,
        stsAssumeRoleArn: str | None = ...,
        stsSessionName: str | None = ...,
        stsExternalId: str | None = ...,
    ) -> DStream[Any]: ...

    @overload
    @staticmethod
    def createStream(
        ssc: StreamingContext,
        kinesisAppName: str,
        streamName: str,
        endpointUrl: str,
        regionName: str,
        initialPositionInStream: int,
        checkpointInterval: float,
        storageLevel: StorageLevel,
        awsAccessKeyId: str | None = ...,
        awsSecretKey: str | None = ...,
        decoder: Callable[[bytes], Any] = ...,
        stsAssumeRoleArn: str | None = ...,
        stsSessionName: str | None = ...,
        stsExternalId: str | None = ...,
    ) -> DStream[Any]: ...

    @staticmethod
    def createStream(
        ssc: StreamingContext,
        kinesisAppName: str,
        streamName: str,
        endpointUrl: str,
        regionName: str,
        initialPositionInStream: int,
        checkpointInterval: float,
        *options: Any,
        **named: Any,
    ) -> DStream[Any]:
        """A stream of the data of a Kinesis stream's records.

        ``kinesisAppName`` names the lease table: two programs of one name share the shards, and each stream needs a
        name of its own. ``checkpointInterval`` (seconds) is the least time between two checkpoints of a shard.
        ``decoder`` gets each record's data. ``storageLevel`` and ``metricsLevel`` are PySpark's and change nothing
        here; both positional layouts are taken, that of PySpark up to 3.3 (the eighth argument is the storage level)
        and that from 3.4 (it is the metrics level). Keys of the `SparkConf` that begin with ``spark.millstream.`` tune
        the reading.

        Raises `IllegalArgumentException` for arguments that do not go together.
        """
        chosen = bind_options(options, named)
        decoder = chosen.pop("decoder")
        initial = check_arguments(
            kinesisAppName, streamName, endpointUrl, regionName, initialPositionInStream, checkpointInterval, chosen
        )
        settings = KinesisSettings(
            app=kinesisAppName,
            stream=streamName,
            endpoint=endpointUrl,
            region=regionName,
            initial=initial,
            checkpoint_interval_s=float(checkpointInterval),
            access_key=chosen["awsAccessKeyId"],
            secret=chosen["awsSecretKey"],
            role_arn=chosen["stsAssumeRoleArn"],
            session_name=chosen["stsSessionName"],
            external_id=chosen["stsExternalId"],
            conf=dict(ssc.sparkContext.getConf().getAll()),
        )
        return kinesis_stream(ssc, settings, *rows_of(decoder))


_OPTIONS: dict[str, Any] = {
    "metricsLevel": MetricsLevel.DETAILED,
    "storageLevel": StorageLevel.MEMORY_AND_DISK_2,
    "awsAccessKeyId": None,
    "awsSecretKey": None,
    "decoder": utf8_decoder,
    "stsAssumeRoleArn": None,
    "stsSessionName": None,
    "stsExternalId": None,
}


def bind_options(positional: Sequence[Any], named: dict[str, Any]) -> dict[str, Any]:
    """The optional arguments of `KinesisUtils.createStream` by name, from either positional layout."""
    layout = list(_OPTIONS)
    # A storage level of a real PySpark is none of ours.
    if positional and hasattr(positional[0], "useMemory"):
        layout.remove("metricsLevel")
    if len(positional) > len(layout):
        raise TypeError(
            f"createStream() takes at most {7 + len(layout)} positional arguments, {7 + len(positional)} were given"
        )
    given = dict(zip(layout, positional, strict=False))
    for name in named:
        if name not in _OPTIONS:
            raise TypeError(f"createStream() got an unexpected keyword argument {name!r}")
        if name in given:
            raise TypeError(f"createStream() got multiple values for argument {name!r}")
    return {**_OPTIONS, **given, **named}


_TABLE_NAME = re.compile(r"[a-zA-Z0-9_.-]{3,255}")


def check_arguments(
    app: str, stream: str, endpoint: str, region: str, initial: int, checkpoint_interval: float, options: dict[str, Any]
) -> str:
    """Checks what `KinesisUtils.createStream` was given, with PySpark's messages; returns the initial position's
    name."""
    for name, value in [
        ("kinesisAppName", app),
        ("streamName", stream),
        ("endpointUrl", endpoint),
        ("regionName", region),
    ]:
        if not isinstance(value, str) or not value:
            raise IllegalArgumentException(f"{name} must be a string that is not empty, not {value!r}")
    if not _TABLE_NAME.fullmatch(app):
        raise IllegalArgumentException(
            "kinesisAppName must be a valid name of a DynamoDB table, 3 to 255 characters of a-z, A-Z, 0-9, '_', '-' "
            f"and '.', not {app!r}"
        )
    sts = [options[name] is None for name in ("stsAssumeRoleArn", "stsSessionName", "stsExternalId")]
    if any(sts) != all(sts):
        raise IllegalArgumentException(
            "stsAssumeRoleArn, stsSessionName, and stsExternalId must all be defined or all be null"
        )
    key, secret = options["awsAccessKeyId"], options["awsSecretKey"]
    if key is None and secret is not None:
        raise IllegalArgumentException("awsSecretKey is set but awsAccessKeyId is null")
    if key is not None and secret is None:
        raise IllegalArgumentException("awsAccessKeyId is set but awsSecretKey is null")
    names = {InitialPositionInStream.LATEST: "LATEST", InitialPositionInStream.TRIM_HORIZON: "TRIM_HORIZON"}
    if not isinstance(initial, int) or initial not in names:
        raise IllegalArgumentException(
            "Illegal InitialPositionInStream. Please use InitialPositionInStream.LATEST or "
            "InitialPositionInStream.TRIM_HORIZON"
        )
    if not isinstance(checkpoint_interval, (int, float)) or not 0 < checkpoint_interval <= LONGEST_S:
        raise IllegalArgumentException(
            f"checkpointInterval must be a number of seconds above 0 and at most {LONGEST_S}, "
            f"not {checkpoint_interval!r}"
        )
    return names[initial]


def rows_of(decoder: Callable[[Any], Any] | None) -> tuple[RowsOf, Callable[[Any], Any] | None]:
    """What rows become of records, and what is then to be done with each: the default decoder is not called for each
    record, and without one the rows are bytes."""
    return (text_rows, None) if decoder is utf8_decoder else (data_rows, decoder)
