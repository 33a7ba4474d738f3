"""The local service as a server."""

from __future__ import annotations

from pathlib import Path

from conftest import serve


def test_acknowledged_records_survive_kill_9(tmp_path: Path) -> None:
    arguments = "--data-dir", str(tmp_path / "data"), "--stream", "orders:2"
    service = serve(*arguments)
    kinesis = service.client("kinesis")
    put = [
        kinesis.put_record(StreamName="orders", PartitionKey=f"key{number}", Data=f"record {number}".encode())
        for number in range(50)
    ]
    service.process.kill()
    service.process.wait()

    service = serve(*arguments)
    kinesis = service.client("kinesis")
    found = {}
    for shard in kinesis.list_shards(StreamName="orders")["Shards"]:
        iterator = kinesis.get_shard_iterator(
            StreamName="orders", ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        for record in kinesis.get_records(ShardIterator=iterator)["Records"]:
            found[record["SequenceNumber"]] = record["Data"]
    expected = {answer["SequenceNumber"]: f"record {number}".encode() for number, answer in enumerate(put)}
    assert found == expected
    service.process.terminate()
    assert service.process.wait(timeout=20) == 0
