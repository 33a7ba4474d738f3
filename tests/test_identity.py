"""Signatures, STS and CloudWatch of the local service, by boto3."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from conftest import REGION, Service, serving

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
ROLE = "arn:aws:iam::000000000000:role/team/reader"
# One try: a request that is refused for its signature is not refused for being late.
CONFIG = Config(retries={"total_max_attempts": 1})


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that takes the keys of a file only."""
    path = tmp_path_factory.mktemp("keys") / "credentials"
    path.write_text(f"[default]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n")
    with serving("--credentials", str(path), "--stream", "orders:1") as service:
        yield service


def client(service: Service, name: str, key: str = KEY, secret: str = SECRET, token: str | None = None) -> Any:
    return boto3.client(
        name,
        endpoint_url=service.endpoint,
        region_name=REGION,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=CONFIG,
    )


def code(call: Any, **arguments: Any) -> str:
    """The error that a call ends with."""
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return str(error.value.response["Error"]["Code"])


@pytest.mark.parametrize("name", ["kinesis", "dynamodb"])
def test_only_known_keys_with_right_signatures_are_taken(strict: Service, name: str) -> None:
    def ask(service: Any) -> Any:
        return service.list_streams if name == "kinesis" else service.list_tables

    ask(client(strict, name))()
    assert code(ask(client(strict, name, key="AKIAOTHER"))) == "UnrecognizedClientException"
    assert code(ask(client(strict, name, secret="other"))) == "InvalidSignatureException"
    assert code(ask(client(strict, name, token="none was given out"))) == "UnrecognizedClientException"


def test_a_body_that_was_changed_is_refused(strict: Service) -> None:
    kinesis = client(strict, "kinesis")

    def change(request: Any, **_: Any) -> None:
        request.body = request.body.replace(b"orders", b"clicks")

    kinesis.meta.events.register("before-send.kinesis.DescribeStreamSummary", change)
    assert code(kinesis.describe_stream_summary, StreamName="orders") == "InvalidSignatureException"


def test_a_request_without_a_signature_is_refused(strict: Service) -> None:
    request = urllib.request.Request(
        strict.endpoint,
        data=b"{}",
        headers={
            "X-Amz-Target": "Kinesis_20131202.ListStreams",
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={KEY}/20260102/us-east-1/kinesis/aws4_request",
        },
    )
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(request)
    with error.value as refused:
        assert json.load(refused)["__type"] == "IncompleteSignatureException"


def test_an_assumed_role_has_keys_that_work(strict: Service) -> None:
    sts = client(strict, "sts")
    assert sts.get_caller_identity()["Arn"] == "arn:aws:iam::000000000000:root"
    role = sts.assume_role(RoleArn=ROLE, RoleSessionName="test", DurationSeconds=900)
    keys = role["Credentials"]
    assumed = keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]
    client(strict, "kinesis", *assumed).describe_stream_summary(StreamName="orders")
    identity = client(strict, "sts", *assumed).get_caller_identity()
    assert identity["Arn"] == "arn:aws:sts::000000000000:assumed-role/reader/test" == role["AssumedRoleUser"]["Arn"]
    assert identity["UserId"] == role["AssumedRoleUser"]["AssumedRoleId"]
    assert code(client(strict, "kinesis", *assumed[:2], "wrong").list_streams) == "UnrecognizedClientException"


def test_sts_refuses_in_its_own_words(strict: Service) -> None:
    sts = client(strict, "sts")
    assert code(client(strict, "sts", key="AKIAOTHER").get_caller_identity) == "InvalidClientTokenId"
    assert code(client(strict, "sts", secret="other").get_caller_identity) == "SignatureDoesNotMatch"
    assert code(sts.assume_role, RoleArn="arn:aws:iam::0:user/not-a-role", RoleSessionName="x1") == "ValidationError"
    assert code(sts.assume_role, RoleArn=ROLE, RoleSessionName="a b") == "ValidationError"
    assert code(sts.get_session_token) == "InvalidAction"


def test_every_key_is_taken_by_default(service: Service) -> None:
    keys = client(service, "sts", "any", "key").assume_role(RoleArn=ROLE, RoleSessionName="test")["Credentials"]
    assumed = keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]
    client(service, "kinesis", *assumed).list_streams()
    assert client(service, "sts", *assumed).get_caller_identity()["Arn"].endswith("assumed-role/reader/test")


def metrics(service: Service) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{service.endpoint}/_millstream/metrics") as answer:
        return list(json.load(answer)["metrics"])


def test_metrics_are_kept_and_shown(service: Service) -> None:
    cloudwatch = client(service, "cloudwatch")
    dimensions = [{"Name": "Operation", "Value": "ProcessTask"}, {"Name": "ShardId", "Value": "shardId-000000000000"}]
    cloudwatch.put_metric_data(
        Namespace="my-app",
        MetricData=[
            {"MetricName": "Success", "Value": 1.0, "Unit": "Count", "Dimensions": dimensions},
            {
                "MetricName": "Time",
                "StatisticValues": {"SampleCount": 2, "Sum": 30.5, "Minimum": 10, "Maximum": 20.5},
                "Unit": "Milliseconds",
            },
        ],
    )
    time, success = metrics(service)[:2]
    assert (time["count"], time["sum"], time["minimum"], time["maximum"]) == (2, 30.5, 10, 20.5)
    assert (success["namespace"], success["name"], success["sum"]) == ("my-app", "Success", 1)
    assert success["dimensions"] == "Operation=ProcessTask, ShardId=shardId-000000000000"
    # Large requests come compressed, and the newest points only are kept.
    many = [{"MetricName": f"metric {n}", "Value": float(n), "Dimensions": dimensions} for n in range(999)]
    cloudwatch.put_metric_data(Namespace="many", MetricData=many)
    kept = metrics(service)
    assert len(kept) == 1000
    assert (kept[0]["name"], kept[999]["name"]) == ("metric 998", "Time")
    assert code(cloudwatch.list_metrics) == "UnknownOperationException"


@pytest.mark.parametrize(
    ("content_type", "target", "body"),
    [
        (
            "application/x-www-form-urlencoded; charset=utf-8",
            None,
            "Action=PutMetricData&Version=2010-08-01&Namespace=older&MetricData.member.1.MetricName=m"
            "&MetricData.member.1.Value=2.5",
        ),
        (
            "application/x-amz-json-1.0",
            "GraniteServiceVersion20100801.PutMetricData",
            '{"Namespace": "older", "MetricData": [{"MetricName": "m", "Value": 2.5}]}',
        ),
    ],
)
def test_metrics_in_the_protocols_of_other_sdks(
    service: Service, content_type: str, target: str | None, body: str
) -> None:
    signed = (
        "AWS4-HMAC-SHA256 Credential=any/20260102/us-east-1/monitoring/aws4_request, SignedHeaders=host, Signature=0"
    )
    headers = {"Content-Type": content_type, "X-Amz-Date": "20260102T000000Z", "Authorization": signed}
    if target is not None:
        headers["X-Amz-Target"] = target
    request = urllib.request.Request(service.endpoint, data=body.encode(), headers=headers)
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200
    newest = metrics(service)[0]
    assert (newest["namespace"], newest["name"], newest["sum"], newest["region"]) == ("older", "m", 2.5, REGION)
