"""Requests that violate the service model, made from the model itself.

For every operation and every constraint of its input in botocore's copy of the model, one request that breaks this
constraint and no other; the answer has to be AWS's ValidationException about it. For every member also a value of the
wrong type, which is a SerializationException, and for every operation a request without fault about a stream that is
not there, which must not be found.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from model.constraints import Case, Shapes, cases_of
from model.wire import Client
from outcome import Outcome
from service import local

STREAM = "no-such-stream"
ARN = f"arn:aws:kinesis:us-east-1:000000000000:stream/{STREAM}"
# A value without fault for each shape that a request without fault needs.
VALID: dict[str, Any] = {
    "StreamName": STREAM,
    "StreamARN": ARN,
    "ResourceARN": ARN,
    "ConsumerARN": f"{ARN}/consumer/c:1700000000",
    "ConsumerName": "c",
    "ShardId": "shardId-000000000000",
    "ShardIterator": "AAAAAAAAAAE=",
    "ShardIteratorType": "LATEST",
    "StartingPosition": {"Type": "LATEST"},
    "HashKey": "5",
    "PartitionKey": "k",
    "Data": "",
    "PutRecordsRequestEntryList": [{"Data": "", "PartitionKey": "k"}],
    "TagMap": {"key": "value"},
    "TagKeyList": ["key"],
    "MetricsNameList": ["IncomingBytes"],
    "EncryptionType": "KMS",
    "KeyId": "alias/key",
    "Policy": "{}",
    "RetentionPeriodHours": 24,
    "PositiveIntegerObject": 1,
    "NaturalIntegerObject": 1,
    "MaxRecordSizeInKiB": 1024,
    "ScalingType": "UNIFORM_SCALING",
    "StreamModeDetails": {"StreamMode": "PROVISIONED"},
    "MinimumThroughputBillingCommitmentInput": {"Status": "DISABLED"},
    "RecordDistributionStrategy": "USER_PARTITION_KEY",
}
# Members that the model does not require, since another may stand for them, or since it is younger than the rule.
ALSO = {
    "CreateStream": ["ShardCount"],
    "PutRecord": ["PartitionKey"],
    "DeregisterStreamConsumer": ["ConsumerARN"],
    "DescribeStreamConsumer": ["ConsumerARN"],
}
# What a request without fault gets where no stream has to be found.
FOUND = {
    "CreateStream": "",
    "DescribeAccountSettings": "",
    "DescribeLimits": "",
    "ListStreams": "",
    "UpdateAccountSettings": "",
    "GetRecords": "InvalidArgumentException",
}


def run() -> Outcome:
    shapes = Shapes()
    outcome = Outcome()
    with local() as endpoint:
        client = Client(endpoint)
        for operation in shapes.operations():
            for failure in failures_of(client, shapes, operation):
                if failure is None:
                    outcome.passed += 1
                else:
                    outcome.failures.append(f"{operation}: {failure}")
    return outcome


def failures_of(client: Client, shapes: Shapes, operation: str) -> Iterator[str | None]:
    """For each request what is wrong with its answer, if anything."""
    if "Queue" in operation or "Channel" in operation:
        status, exception, message = client.call(operation, {})
        named = (status, exception) == (400, "UnknownOperationException") and message.startswith(f"{operation} is not")
        yield None if named else f"is not named as unsupported: {status} {exception}: {message}"
        return
    request = base(shapes, operation)
    if operation == "CreateStream":
        request["StreamName"] = "created"
    status, exception, message = client.call(operation, request)
    expected = FOUND.get(operation, "ResourceNotFoundException")
    declared = not exception or exception in shapes.errors(operation)
    good = exception == expected and declared and status == (400 if exception else 200)
    yield None if good else f"{request} gave {status} {exception}: {message}, not {expected}"
    for case in cases_of(shapes, operation, request):
        yield failure_of(client, operation, case)


def failure_of(client: Client, operation: str, case: Case) -> str | None:
    status, exception, message = client.call(operation, case.request)
    shown = f"{case.what}: {status} {exception}: {message[:600]}"
    if (status, exception) != (400, case.exception):
        return f"{shown}, not {case.exception}"
    return None if case.fits(message) else f"{shown}, not {case.expected}"


def base(shapes: Shapes, operation: str) -> dict[str, Any]:
    """A request without fault."""
    members = shapes.input(operation)["members"]
    required = [*shapes.input(operation).get("required", []), *ALSO.get(operation, [])]
    if "StreamName" in members and "StreamName" not in required:
        required.append("StreamName")
    elif "StreamARN" in members and not {"StreamARN", "ConsumerARN", "ShardIterator"} & set(required):
        required.append("StreamARN")
    return {name: VALID[members[name]["shape"]] for name in required}
