"""What the options of a source or sink mean."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from millstream.kinesis_client import ClientSettings
from millstream.spark.names import known_options
from millstream.spark.values import (
    InvalidOption,
    boolean,
    duration_ms,
    initial_position,
    number,
    size_bytes,
    timestamp_ms,
)

_log = logging.getLogger(__name__)
_MOST = 2**62


@dataclass(frozen=True)
class Options:
    """The options of one source or sink, checked."""

    client: ClientSettings
    stream: str
    starting_position: str
    """``latest`` and so on as it was written: what it means is found out when a query begins."""
    starting_ms: int | None
    ending_ms: int | None
    consumer: str | None
    """The name of a consumer for enhanced fan-out; none: shards are polled."""
    fail_on_data_loss: bool
    lease_table: str | None
    """Where progress is written to, and a query without a checkpoint begins."""
    failover_ms: int
    """Of that table's application."""
    dynamodb_endpoint: str | None
    shard_sync_ms: int
    max_records: int | None
    """Of one batch."""
    max_bytes: int | None
    """Of the data of one batch."""
    buffer_mib: int
    """Read ahead on the driver at most."""
    inline_bytes: int
    """Batches that are no larger than this as rows go to the executors as they are; of others the ranges."""
    shards_per_task: int
    is_aggregating: bool
    sink_buffer_bytes: int
    """Of a task of the sink, before they are put."""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Options:
        """Checks the options.

        Raises:
            InvalidOption: says which one is wrong, and what it may be.
        """
        options, idle = known_options(given)
        for name, why in idle.items():
            _log.warning("option %s has nothing to do here: %s", name, why)
        take = options.pop

        stream = take("streamName", "")
        if not stream or "," in stream:
            raise InvalidOption(f"option streamName={stream!r}: name one stream (union several readers for more)")
        position = take("startingPosition", "LATEST")
        initial_position("startingPosition", position)
        starting, ending = take("startingTimestamp", None), take("endingTimestamp", None)
        max_records, max_bytes = take("maxRecordsPerTrigger", None), take("maxBytesPerTrigger", None)
        interval = "getRecords.fetchIntervalMs"
        records = "getRecords.numberOfRecordsPerFetch"
        return cls(
            stream=stream,
            starting_position=position,
            starting_ms=timestamp_ms("startingTimestamp", starting) if starting else None,
            ending_ms=timestamp_ms("endingTimestamp", ending) if ending else None,
            consumer=_consumer(take("consumerType", "polling"), take("consumerName", None)),
            fail_on_data_loss=boolean("failOnDataLoss", take("failOnDataLoss", "true")),
            lease_table=take("leaseTable", None) or None,
            failover_ms=max(1_000, duration_ms("failoverTime", take("failoverTime", "10s"), "s")),
            dynamodb_endpoint=_url("dynamodbEndpoint", take("dynamodbEndpoint", None), "dynamodb"),
            shard_sync_ms=max(100, duration_ms("describeShardInterval", take("describeShardInterval", "10s"), "s")),
            max_records=number("maxRecordsPerTrigger", max_records, 1, _MOST) if max_records else None,
            max_bytes=size_bytes("maxBytesPerTrigger", max_bytes) if max_bytes else None,
            buffer_mib=min(2_048, max(1, size_bytes("bufferBytes", take("bufferBytes", "64m")) >> 20)),
            inline_bytes=number("inlineBytes", take("inlineBytes", "524288"), 0, 1 << 30),
            shards_per_task=number("shardsPerTask", take("shardsPerTask", "1"), 1, 10_000),
            is_aggregating=boolean("sink.aggregationEnabled", take("sink.aggregationEnabled", "true")),
            sink_buffer_bytes=size_bytes("sink.bufferBytes", take("sink.bufferBytes", "8m")),
            client=_client(
                options,
                read_interval_ms=duration_ms(interval, take(interval, "200")),
                max_records=number(records, take(records, "10000"), 1, 10_000),
            ),
        )


def _consumer(mode: str, name: str | None) -> str | None:
    match mode.lower():
        case "polling" | "getrecords":
            return None
        case "efo" | "subscribetoshard":
            if not name:
                raise InvalidOption("fan-out (consumerType) needs the option consumerName: one for each query")
            return name
    raise InvalidOption(f"option consumerType={mode} is none of polling, efo, GetRecords or SubscribeToShard")


def _client(options: Mapping[str, str], read_interval_ms: int, max_records: int) -> ClientSettings:
    """From what reaches AWS: two and two options belong together."""
    for one, other in [("awsAccessKeyId", "awsSecretKey"), ("roleArn", "roleSessionName")]:
        if (one in options) != (other in options):
            raise InvalidOption(f"options {one} and {other} belong together: give both or none")
    endpoint = _url("endpointUrl", options.get("endpointUrl"), "kinesis")
    return ClientSettings(
        region=options.get("region") or _region_of(endpoint),
        endpoint=endpoint,
        access_key=options.get("awsAccessKeyId"),
        secret=options.get("awsSecretKey"),
        session_token=options.get("sessionToken"),
        role_arn=options.get("roleArn"),
        session_name=options.get("roleSessionName"),
        external_id=options.get("roleExternalId"),
        read_interval_ms=read_interval_ms,
        max_records=max_records,
    )


def _url(name: str, text: str | None, service: str) -> str | None:
    if text and not text.startswith(("http://", "https://")):
        raise InvalidOption(f"option {name}={text} is not a URL such as https://{service}.us-east-1.amazonaws.com")
    return text or None


def _region_of(endpoint: str | None) -> str:
    """The region that AWS's own endpoints name; empty leaves it to the environment."""
    host = urlsplit(endpoint or "").hostname or ""
    parts = host.split(".")
    return parts[1] if parts[0] == "kinesis" and ".amazonaws." in host and len(parts) > 3 else ""
