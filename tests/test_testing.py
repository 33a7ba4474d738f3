"""`millstream.testing`, and what docs/testing.md says of it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ResponseStreamingError

from conftest import ROOT
from millstream.testing import FaultsError, LocalKinesis, LocalKinesisError
from millstream.testing import local_kinesis as context
from millstream.testing.plugin import local_kinesis

__all__ = ["local_kinesis"]

ONCE = Config(retries={"total_max_attempts": 1})


@pytest.fixture
def client(local_kinesis: LocalKinesis) -> Any:
    client = boto3.client("kinesis", config=ONCE, **local_kinesis.client_settings)
    client.create_stream(StreamName="orders", ShardCount=2)
    return client


def code(call: Any, **arguments: Any) -> str:
    """The error that a call ends with."""
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return str(error.value.response["Error"]["Code"])


def test_the_example_of_the_document_runs() -> None:
    text = (ROOT / "docs" / "testing.md").read_text()
    example = re.search(r"```python\n(import boto3\n.*?)```", text, re.S)
    assert example is not None
    exec(compile(example.group(1), "docs/testing.md", "exec"), {})


def test_faults_apply_to_what_they_name(local_kinesis: LocalKinesis, client: Any) -> None:
    faults = local_kinesis.faults
    number = faults.error("InternalFailure", status=500, operation="ListShards", stream="orders", times=1)
    assert [(fault.id, fault.used, fault.settings["code"]) for fault in faults.list()] == [
        (number, 0, "InternalFailure")
    ]
    client.list_streams()
    assert code(client.list_shards, StreamName="orders") == "InternalFailure"
    client.list_shards(StreamName="orders")
    assert faults.list() == []
    with pytest.raises(FaultsError, match=f"no fault {number} is in force"):
        faults.remove(number)
    with pytest.raises(FaultsError, match="from 0 to 1"):
        faults.throttle(probability=2)


def test_a_shard_has_faults_of_its_own(local_kinesis: LocalKinesis, client: Any) -> None:
    shards = [shard["ShardId"] for shard in client.list_shards(StreamName="orders")["Shards"]]
    first, second = (
        client.get_shard_iterator(StreamName="orders", ShardId=shard, ShardIteratorType="LATEST")["ShardIterator"]
        for shard in shards
    )
    local_kinesis.faults.expired_iterator(shard=shards[1])
    client.get_records(ShardIterator=first)
    assert code(client.get_records, ShardIterator=second) == "ExpiredIteratorException"
    local_kinesis.faults.clear()
    client.get_records(ShardIterator=second)


def test_chance_repeats_with_its_seed(local_kinesis: LocalKinesis, client: Any) -> None:
    def throttled() -> list[bool]:
        local_kinesis.faults.seed(11)
        local_kinesis.faults.throttle(operation="PutRecord", probability=0.5)
        outcomes = []
        for _ in range(30):
            try:
                client.put_record(StreamName="orders", PartitionKey="key", Data=b"")
                outcomes.append(False)
            except client.exceptions.ProvisionedThroughputExceededException:
                outcomes.append(True)
        local_kinesis.faults.clear()
        return outcomes

    first = throttled()
    assert throttled() == first
    assert 0 < sum(first) < len(first)


def test_connections_break(local_kinesis: LocalKinesis, client: Any) -> None:
    local_kinesis.faults.drop_connection(operation="ListStreams", times=1)
    with pytest.raises(ConnectionClosedError):
        client.list_streams()
    local_kinesis.faults.truncate(3, operation="ListStreams", times=1)
    with pytest.raises((ConnectionClosedError, ResponseStreamingError)):
        client.list_streams()
    assert client.list_streams()["StreamNames"] == ["orders"]


def test_what_is_kept_survives_a_kill(tmp_path: Path) -> None:
    arguments = ["--data-dir", str(tmp_path / "data")]
    with context(streams={"orders": 1}, arguments=arguments) as kinesis:
        client = boto3.client("kinesis", **kinesis.client_settings)
        client.put_record(StreamName="orders", PartitionKey="key", Data=b"kept")
        kinesis.kill()
    with context(arguments=arguments) as kinesis:
        client = boto3.client("kinesis", **kinesis.client_settings)
        iterator = client.get_shard_iterator(
            StreamName="orders", ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        assert [record["Data"] for record in client.get_records(ShardIterator=iterator)["Records"]] == [b"kept"]


def test_the_service_ends_with_its_block_and_a_wrong_start_is_an_error() -> None:
    with pytest.raises(ValueError, match="mine"), context() as kinesis:
        raise ValueError("mine")
    with pytest.raises(ProcessLookupError):
        os.kill(kinesis.pid, 0)
    with pytest.raises(LocalKinesisError, match="exit code 2"), context(arguments=["--no-such-flag"]):
        pass
