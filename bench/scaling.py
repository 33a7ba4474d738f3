"""What a source for Structured Streaming costs a shard: bytes of offset, memory of the driver, calls to Kinesis.

    make build && .venv/bin/python bench/scaling.py [--shards 100 --shards 1000]

Needs no Spark: it does what Spark has the driver and the executors do. Calls are counted by the local service, and
the sum for 10,000 shards is on paper, by what one shard more costs.
"""

from __future__ import annotations

import argparse
import json
import time
import uuid
from typing import Any, NamedTuple

import boto3

from millstream.kinesis_client import ClientSettings, Range, client_of
from millstream.spark.ahead import Ahead
from millstream.spark.offsets import Offset
from millstream.spark.options import Options
from millstream.testing import LocalKinesis, local_kinesis

OPERATIONS = ("ListShards", "GetShardIterator", "GetRecords")
#: Kinesis' bound of a shard's reads a second.
PACE_MS = 200
WATCHED_S = 5.0
PAPER = 10_000


class Cost(NamedTuple):
    """Of one stream."""

    shards: int
    offset_bytes: int
    memory_kib: int
    start: dict[str, int]
    second: dict[str, float]
    batch: dict[str, int]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--shards", type=int, action="append")
    costs = [measure(shards) for shards in arguments.parse_args().shards or [100, 1_000]]
    for cost in costs:
        tell(cost)
    few, many = costs[0], costs[-1]
    if few.shards != many.shards:
        more = many.shards - few.shards
        for name, one, other in (
            ("bytes of offset", few.offset_bytes, many.offset_bytes),
            ("KiB of the driver's memory", few.memory_kib, many.memory_kib),
        ):
            each = (other - one) / more
            print(f"{each:,.1f} {name} a shard: {each * PAPER:,.0f} for {PAPER:,}")


def measure(shards: int) -> Cost:
    """Reads ahead of a stream whose shards have one record each, takes a batch, and reads that again."""
    name = f"stream-{uuid.uuid4().hex[:8]}"
    with local_kinesis({name: shards}) as kinesis:
        counted = {operation: kinesis.faults.latency(0, operation=operation) for operation in OPERATIONS}

        def calls() -> dict[str, int]:
            used = {fault.id: fault.used for fault in kinesis.faults.list()}
            return {operation: used[number] for operation, number in counted.items()}

        put(kinesis, name)
        options = Options.of(given(kinesis, name))
        before, memory = calls(), resident_kib()
        ahead = Ahead(options)
        end = Offset(name, "TRIM_HORIZON").as_dict()
        batch: dict[str, Range] = {}
        while len(batch) < shards:
            end = ahead.take(end, None, None)
            batch |= {part.shard: part for part in Offset.of(end, name).batch}
        after, took = calls(), resident_kib() - memory
        time.sleep(WATCHED_S)
        second = difference(after, calls(), WATCHED_S)
        ahead.stop()
        # Executors have clients of their own: this one has a setting that the driver's has not.
        settings = ClientSettings(**{**vars(options.client), "session_token": "executor"})
        begun = calls()
        for part in batch.values():
            assert sum(len(block) for block in part.read(settings, name)) == part.records
        client_of.cache_clear()
        offset = Offset(name, "TRIM_HORIZON", Offset.of(end, name).shards, list(batch.values()))
        size = len(json.dumps(offset.as_dict()))
        read = {key: int(value) for key, value in difference(begun, calls(), 1).items()}
        start = {key: int(value) for key, value in difference(before, after, 1).items()}
        return Cost(shards, size, took, start, second, read)


def put(kinesis: LocalKinesis, stream: str) -> None:
    """A record to each shard."""
    client: Any = boto3.client("kinesis", **kinesis.client_settings)
    pages = client.get_paginator("list_shards").paginate(StreamName=stream)
    keys = [shard["HashKeyRange"]["StartingHashKey"] for page in pages for shard in page["Shards"]]
    entries = [{"Data": b"x", "PartitionKey": "k", "ExplicitHashKey": key} for key in keys]
    for first in range(0, len(entries), 500):
        client.put_records(StreamName=stream, Records=entries[first : first + 500])


def given(kinesis: LocalKinesis, stream: str) -> dict[str, str]:
    keys = {"awsAccessKeyId": "local", "awsSecretKey": "local"}
    reading = {"initialPosition": "trim_horizon", "getRecords.fetchIntervalMs": str(PACE_MS), "inlineBytes": "0"}
    return {"streamName": stream, "endpointUrl": kinesis.endpoint, "region": "us-east-1", **keys, **reading}


def difference(before: dict[str, int], after: dict[str, int], seconds: float) -> dict[str, float]:
    return {name: (after[name] - before[name]) / seconds for name in before}


def resident_kib() -> int:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def tell(cost: Cost) -> None:
    print(f"\n{cost.shards:,} shards, all of which have records in the batch")
    print(f"    offset            {cost.offset_bytes:>12,} bytes")
    print(f"    memory of driver  {cost.memory_kib:>12,} KiB more than before")
    for name, counts in (
        ("to the first batch", cost.start),
        ("a second, driver", cost.second),
        ("a batch, executors", cost.batch),
    ):
        print(f"    {name:18}" + "".join(f"{count:>12,.0f} {operation}" for operation, count in counts.items()))


if __name__ == "__main__":
    main()
