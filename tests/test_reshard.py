"""Shards split and merge while records keep coming."""

from __future__ import annotations

from conftest import Feed, Ledger, Programs, Service, assert_in_order, wait_until


def test_split_and_merge_keep_order_and_lose_nothing(
    service: Service, programs: Programs, app: str, ledger: Ledger
) -> None:
    kinesis = service.client("kinesis")
    stream = service.stream(4)
    feed = Feed(service, stream, keys=40)
    shards = kinesis.list_shards(StreamName=stream)["Shards"]
    programs.ledger(service, app, stream, ledger)
    feed.put(rounds=5)
    wait_until("reading has begun", lambda: ledger.values(), 20)

    first = shards[0]["HashKeyRange"]
    middle = (int(first["StartingHashKey"]) + int(first["EndingHashKey"])) // 2
    kinesis.split_shard(StreamName=stream, ShardToSplit=shards[0]["ShardId"], NewStartingHashKey=str(middle))
    feed.put(rounds=5)
    kinesis.merge_shards(
        StreamName=stream, ShardToMerge=shards[2]["ShardId"], AdjacentShardToMerge=shards[3]["ShardId"]
    )
    feed.put(rounds=5)
    wait_until("everything arrives", lambda: feed.all() <= set(ledger.values()), 20)
    feed.put(rounds=5)
    wait_until("the children are read on", lambda: feed.all() <= set(ledger.values()), 20)

    assert_in_order(ledger.values())
    assert len(ledger.values()) == len(feed.all()), "nothing is processed again"
    ended = {shards[number]["ShardId"] for number in (0, 2, 3)}

    def closed() -> bool:
        leases = service.leases(app)
        return {key for key, lease in leases.items() if lease["checkpoint"] == "SHARD_END"} == ended

    wait_until("the parents' leases say SHARD_END", closed, 10)


def test_reshards_while_nobody_reads_are_read_parents_first(
    service: Service, programs: Programs, app: str, ledger: Ledger
) -> None:
    kinesis = service.client("kinesis")
    stream = service.stream(1)
    feed = Feed(service, stream, keys=10)
    feed.put(rounds=10)
    shard = "shardId-000000000000"
    kinesis.split_shard(StreamName=stream, ShardToSplit=shard, NewStartingHashKey=str(2**127))
    feed.put(rounds=10)
    kinesis.merge_shards(
        StreamName=stream, ShardToMerge="shardId-000000000001", AdjacentShardToMerge="shardId-000000000002"
    )
    feed.put(rounds=10)
    programs.ledger(service, app, stream, ledger)
    wait_until("everything arrives", lambda: feed.all() <= set(ledger.values()), 30)
    assert_in_order(ledger.values())
    assert len(ledger.values()) == len(feed.all())
