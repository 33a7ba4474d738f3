"""The round with the AWS SDK for Python (JSON): create, put, read by all iterators, split, merge, subscribe, delete.

Prints `ok STEP` for each step whose outcome was as expected, and `done`. The endpoint is in AWS_ENDPOINT_URL.
"""

from __future__ import annotations

import time
import uuid
from typing import Any

import boto3
from botocore.config import Config

HALF = 1 << 127
LOW, HIGH = "shardId-000000000000", "shardId-000000000001"

kinesis = boto3.client("kinesis", config=Config(retries={"max_attempts": 1}))
stream = f"python-{uuid.uuid4().hex[:8]}"


def ok(step: str, found: Any, expected: Any) -> None:
    if found != expected:
        raise SystemExit(f"{step}: found {found!r}, expected {expected!r}")
    print("ok", step, flush=True)


def put(data: str, hash_key: int) -> str:
    answer = kinesis.put_record(
        StreamName=stream, PartitionKey="key", ExplicitHashKey=str(hash_key), Data=data.encode()
    )
    return str(answer["SequenceNumber"])


def read(shard: str, kind: str, **start: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Records up to the tip of the shard, and the last answer."""
    iterator = kinesis.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType=kind, **start)
    return drain(iterator["ShardIterator"])


def drain(iterator: str | None) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    records, answer = [], {}
    while iterator:
        answer = kinesis.get_records(ShardIterator=iterator, Limit=2)
        records += answer["Records"]
        iterator = answer.get("NextShardIterator")
        if not answer["Records"] and answer["MillisBehindLatest"] == 0:
            break
    return records, answer


def texts(records: list[dict[str, Any]]) -> str:
    return "".join(record["Data"].decode() for record in records)


kinesis.create_stream(StreamName=stream, ShardCount=2)
kinesis.get_waiter("stream_exists").wait(StreamName=stream, WaiterConfig={"Delay": 1, "MaxAttempts": 20})
summary = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]
ok("create", (summary["StreamStatus"], summary["OpenShardCount"]), ("ACTIVE", 2))

latest = kinesis.get_shard_iterator(StreamName=stream, ShardId=LOW, ShardIteratorType="LATEST")["ShardIterator"]
first = put("a", 0)
time.sleep(0.02)  # arrival times are in milliseconds: the next record has a later one
entries = [{"PartitionKey": "key", "ExplicitHashKey": "1", "Data": text.encode()} for text in "bc"]
entries.append({"PartitionKey": "key", "ExplicitHashKey": str(HALF), "Data": b"z"})
answer = kinesis.put_records(StreamName=stream, Records=entries)
ok("put", [record["ShardId"] for record in answer["Records"]], [LOW, LOW, HIGH])

records, _ = read(LOW, "TRIM_HORIZON")
ok("TRIM_HORIZON", texts(records), "abc")
ok("sequence numbers grow", [record["SequenceNumber"] for record in records] > [first], True)
second = records[1]["SequenceNumber"]
ok("AT_SEQUENCE_NUMBER", texts(read(LOW, "AT_SEQUENCE_NUMBER", StartingSequenceNumber=second)[0]), "bc")
ok("AFTER_SEQUENCE_NUMBER", texts(read(LOW, "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=second)[0]), "c")
time_of_b = records[1]["ApproximateArrivalTimestamp"]
ok("AT_TIMESTAMP", texts(read(LOW, "AT_TIMESTAMP", Timestamp=time_of_b)[0]), "bc")
ok("LATEST", texts(drain(latest)[0]), "abc")

kinesis.split_shard(StreamName=stream, ShardToSplit=LOW, NewStartingHashKey=str(1 << 126))
kinesis.get_waiter("stream_exists").wait(StreamName=stream)
records, last = read(LOW, "TRIM_HORIZON")
children = [child["ShardId"] for child in last["ChildShards"]]
ok("split", (texts(records), children), ("abc", ["shardId-000000000002", "shardId-000000000003"]))
d = put("d", 1 << 126)
ok("a child begins above its parent", int(d) > int(second), True)

kinesis.merge_shards(StreamName=stream, ShardToMerge=children[1], AdjacentShardToMerge=HIGH)
kinesis.get_waiter("stream_exists").wait(StreamName=stream)
merged = "shardId-000000000004"
put("e", 1 << 126)
ok("merge", (texts(read(children[1], "TRIM_HORIZON")[0]), texts(read(merged, "TRIM_HORIZON")[0])), ("d", "e"))
open_shards = kinesis.list_shards(StreamName=stream, ShardFilter={"Type": "AT_LATEST"})["Shards"]
ok("list", [shard["ShardId"] for shard in open_shards], [children[0], merged])

consumer = kinesis.register_stream_consumer(StreamARN=summary["StreamARN"], ConsumerName="fan-out")["Consumer"]
subscribed = kinesis.subscribe_to_shard(
    ConsumerARN=consumer["ConsumerARN"], ShardId=LOW, StartingPosition={"Type": "TRIM_HORIZON"}
)
pushed: list[dict[str, Any]] = []
ended: list[str] = []
for event in subscribed["EventStream"]:
    pushed += event["SubscribeToShardEvent"]["Records"]
    ended += [child["ShardId"] for child in event["SubscribeToShardEvent"].get("ChildShards", [])]
ok("subscribe", (texts(pushed), ended), ("abc", children))
kinesis.deregister_stream_consumer(ConsumerARN=consumer["ConsumerARN"])

kinesis.delete_stream(StreamName=stream)
kinesis.get_waiter("stream_not_exists").wait(StreamName=stream, WaiterConfig={"Delay": 1, "MaxAttempts": 20})
try:
    kinesis.describe_stream_summary(StreamName=stream)
except kinesis.exceptions.ResourceNotFoundException as missing:
    ok("delete", missing.response["Error"]["Message"], f"Stream {stream} under account 000000000000 not found.")
print("done")
