"""The local service as a server."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

from conftest import MILLSTREAM, environment, serve


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


def test_an_idle_service_is_small_and_starts_at_once() -> None:
    start = time.monotonic()
    service = serve("--memory")
    # On an idle machine it takes a tenth of this.
    assert time.monotonic() - start < 5
    with urllib.request.urlopen(f"{service.endpoint}/health") as health:
        assert json.load(health) == {"status": "running"}
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    service.process.terminate()
    assert service.process.wait(timeout=20) == 0
    assert resident < 60_000, f"{resident} KiB"


def test_log_lines_are_json_if_asked_for() -> None:
    command = [str(MILLSTREAM), "-vv", "local", "--port=0", "--memory", "--log-format=json"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(RUST_LOG=None)
    )
    assert process.stdout is not None
    port = re.search(r":(\d+) ", process.stdout.readline())
    assert port is not None
    with socket.create_connection(("127.0.0.1", int(port.group(1)))) as connection:
        connection.sendall(b"this is no HTTP\r\n\r\n")
        connection.recv(1024)
    process.terminate()
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    lines = [json.loads(line) for line in errors.splitlines()]
    assert all({"timestamp", "level", "target", "message"} <= line.keys() for line in lines)
    ended = next(line for line in lines if line["message"] == "connection ended")
    assert ended["level"] == "DEBUG"
    assert "HTTP" in ended["error"]


def test_a_client_trusts_the_certificates_that_it_is_told_to(tmp_path: Path) -> None:
    service = serve("--data-dir", str(tmp_path / "data"), "--stream", "orders:1")
    lines = tmp_path / "lines.txt"
    lines.write_text("one\ntwo\n")
    endpoint = service.endpoint.replace("http://", "https://")

    def put(bundle: Path) -> subprocess.CompletedProcess[str]:
        command = [str(MILLSTREAM), "put", "orders", str(lines), "--endpoint-url", endpoint, "--region=us-east-1"]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=60, env=environment(AWS_CA_BUNDLE=str(bundle))
        )

    trusted = put(tmp_path / "data/tls/ca.pem")
    assert trusted.returncode == 0, trusted.stderr
    missing = put(tmp_path / "none.pem")
    assert missing.returncode != 0 and f"AWS_CA_BUNDLE={tmp_path / 'none.pem'}: No such file" in missing.stderr
    service.process.terminate()
    assert service.process.wait(timeout=20) == 0
