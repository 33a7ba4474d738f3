"""Bad input ends a program soon, with an error of PySpark's type that says what to do."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from conftest import MILLSTREAM, REGION, Service, environment

PROGRAM = """
import sys
from pyspark import SparkContext, StorageLevel
from pyspark.streaming import StreamingContext
from pyspark.streaming.kinesis import InitialPositionInStream, KinesisUtils

ssc = StreamingContext(SparkContext(appName="BadInput"), 0.1)
KinesisUtils.createStream(
    ssc, sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5]), 1, StorageLevel.MEMORY_ONLY,
    awsAccessKeyId=sys.argv[6] if len(sys.argv) > 6 else None,
).pprint()
ssc.start()
ssc.awaitTermination()
"""


def run(tmp_path: Path, *arguments: str, conf: tuple[str, ...] = (), **environ: str | None) -> str:
    """Runs the program, which must fail; returns what it printed to standard error."""
    program = tmp_path / "bad_input.py"
    program.write_text(PROGRAM)
    done = subprocess.run(
        [str(MILLSTREAM), "submit", *(f"--conf={setting}" for setting in conf), str(program), *arguments],
        capture_output=True,
        text=True,
        env=environment(**environ),
        timeout=30,
    )
    print(done.stderr)
    assert done.returncode == 1, done
    assert "panicked" not in done.stderr
    assert "site-packages" not in done.stderr, "a traceback of internals"
    return done.stderr


def test_missing_stream(service: Service, tmp_path: Path, app: str) -> None:
    error = run(tmp_path, app, "no-such-stream", service.endpoint, REGION, "0")
    assert "IllegalArgumentException" in error
    assert "no-such-stream" in error
    assert service.leases(app) == {}


def test_wrong_region(service: Service, tmp_path: Path, app: str) -> None:
    stream = service.stream(1)
    error = run(tmp_path, app, stream, service.endpoint, "eu-central-1", "0")
    assert "IllegalArgumentException" in error
    assert stream in error
    assert "eu-central-1" in error


def test_unreachable_endpoint(tmp_path: Path, app: str) -> None:
    error = run(tmp_path, app, "stream", "http://127.0.0.1:9", REGION, "0")
    assert "PySparkRuntimeError" in error
    assert "127.0.0.1:9" in error


def test_no_credentials(service: Service, tmp_path: Path, app: str) -> None:
    nothing = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
    error = run(tmp_path, app, service.stream(1), service.endpoint, REGION, "0", HOME=str(tmp_path), **nothing)
    assert "PySparkRuntimeError" in error
    assert "credentials" in error


@pytest.fixture
def refusing() -> Iterator[str]:
    """A service that knows no key."""

    class Refuse(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            error = {
                "__type": "UnrecognizedClientException",
                "message": "The security token included in the request is invalid.",
            }
            body = json.dumps(error).encode()
            self.send_response(400)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refuse)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


def test_refused_credentials(refusing: str, tmp_path: Path, app: str) -> None:
    error = run(tmp_path, app, "stream", refusing, REGION, "0", AWS_SECRET_ACCESS_KEY="the-secret-itself")
    assert "PySparkRuntimeError" in error
    assert "security token" in error
    assert "the-secret-itself" not in error


def test_lease_table_of_another_kind(service: Service, tmp_path: Path, app: str) -> None:
    service.client("dynamodb").create_table(
        TableName=app,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "N"}],
        BillingMode="PAY_PER_REQUEST",
    )
    error = run(tmp_path, app, service.stream(1), service.endpoint, REGION, "0")
    assert "IllegalArgumentException" in error
    assert app in error
    assert "application name" in error


def test_illegal_initial_position(service: Service, tmp_path: Path, app: str) -> None:
    error = run(tmp_path, app, "stream", service.endpoint, REGION, "7")
    assert "IllegalArgumentException" in error
    assert "Illegal InitialPositionInStream. Please use InitialPositionInStream.LATEST or" in error


def test_access_key_without_its_secret(service: Service, tmp_path: Path, app: str) -> None:
    error = run(tmp_path, app, "stream", service.endpoint, REGION, "0", "AKIDEXAMPLE")
    assert "IllegalArgumentException" in error
    assert "awsAccessKeyId is set but awsSecretKey is null" in error


@pytest.mark.parametrize(
    "setting",
    [
        "spark.millstream.dynamodb.endpoint=nonsense",
        "spark.millstream.failoverTime=soon",
        "spark.millstream.heartbeat=sometimes",
        "spark.millstream.kinesis.maxRecords=20000",
    ],
)
def test_settings_that_mean_nothing(service: Service, tmp_path: Path, app: str, setting: str) -> None:
    error = run(tmp_path, app, "stream", service.endpoint, REGION, "0", conf=(setting,))
    assert "IllegalArgumentException" in error
    assert setting in error
