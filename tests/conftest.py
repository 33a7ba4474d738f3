"""What the end-to-end tests share: the real service, real processes, and clients of AWS's own SDK."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import boto3
import pytest

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / "tests" / "programs"
MILLSTREAM = Path(sys.executable).parent / "millstream"
REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}

# Without PySpark, not even their conftest.py: it would take the name of this one.
collect_ignore = [] if find_spec("pyspark") else ["spark"]


def environment(**changes: str | None) -> dict[str, str]:
    """This process's environment without what would lead to AWS, with `changes` (None removes)."""
    base = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {name: value for name, value in {**base, **CREDENTIALS, **changes}.items() if value is not None}


def wait_until(what: str, condition: Callable[[], Any], seconds: float) -> Any:
    """What `condition` returns as soon as it is true; fails with `what` when that takes longer than `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds} s: {what}")
        time.sleep(0.02)


@dataclass
class Service:
    """A running `millstream local`."""

    endpoint: str
    process: subprocess.Popen[str]

    def client(self, name: str) -> Any:
        return boto3.client(
            name,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def stream(self, shards: int) -> str:
        """A new stream, ready for use."""
        name = f"stream-{uuid.uuid4().hex[:8]}"
        kinesis = self.client("kinesis")
        kinesis.create_stream(StreamName=name, ShardCount=shards)
        kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1})
        return name

    def leases(self, app: str) -> dict[str, dict[str, str]]:
        """The items of the lease table by lease key, with plain values; none while there is no table."""
        dynamodb = self.client("dynamodb")
        try:
            items = dynamodb.scan(TableName=app)["Items"]
        except dynamodb.exceptions.ResourceNotFoundException:
            return {}
        plain = [{name: next(iter(value.values())) for name, value in item.items()} for item in items]
        return {item["leaseKey"]: item for item in plain}

    def owners(self, app: str) -> dict[str, set[str]]:
        """The shards of each owner that has open ones, once no handoff is under way."""
        owners: dict[str, set[str]] = {}
        for key, lease in self.leases(app).items():
            if lease["checkpoint"] != "SHARD_END":
                owner = lease.get("leaseOwner", "") if "checkpointOwner" not in lease else "in handoff"
                owners.setdefault(owner, set()).add(key)
        return owners


def serve(*arguments: str) -> Service:
    """Starts `millstream local` on a free port and waits until it is ready."""
    process = subprocess.Popen(
        [str(MILLSTREAM), "local", "--port", "0", *arguments], stdout=subprocess.PIPE, text=True, env=environment()
    )
    assert process.stdout is not None
    ready = re.search(r"http://\S+", process.stdout.readline())
    assert ready is not None, "the local service did not say that it is ready"
    return Service(ready.group(), process)


@contextmanager
def serving(*arguments: str) -> Iterator[Service]:
    """A service in memory, which ends in an orderly way."""
    service = serve("--memory", *arguments)
    yield service
    service.process.terminate()
    assert service.process.wait(timeout=20) == 0


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    """One local service for all tests; each uses streams and applications of its own."""
    with serving() as service:
        yield service


@pytest.fixture
def own_service() -> Iterator[Service]:
    """One for a test that changes the service for all who use it: its clock, its faults."""
    with serving() as service:
        yield service


@pytest.fixture
def app() -> str:
    """A new application's name."""
    return f"app-{uuid.uuid4().hex[:8]}"


@dataclass
class Ledger:
    """What a program has processed: one file, one line a record, written at once for each batch."""

    path: Path
    lines: list[str] = field(default_factory=list)

    def read(self) -> list[str]:
        self.lines = self.path.read_text().splitlines() if self.path.exists() else []
        return self.lines

    def values(self) -> list[str]:
        """The records, in the order of their processing."""
        return [line.split(" ", 1)[1] for line in self.read()]

    def times(self) -> list[float]:
        """When each record was processed, in seconds since the epoch."""
        return [float(line.split(" ", 1)[0]) for line in self.read()]


class Programs:
    """Starts programs by `millstream submit`, and ends those that a test leaves."""

    def __init__(self) -> None:
        self.running: list[subprocess.Popen[str]] = []

    def submit(self, program: Path, *arguments: str, **conf: str) -> subprocess.Popen[str]:
        flags = [f"--conf=spark.{name.replace('__', '.')}={value}" for name, value in conf.items()]
        return self.start(str(MILLSTREAM), "submit", "--master", "local[1]", *flags, str(program), *arguments)

    def start(self, *command: str, **variables: str) -> subprocess.Popen[str]:
        """`variables` go into its environment."""
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment() | variables
        )
        self.running.append(process)
        return process

    def ledger(self, service: Service, app: str, stream: str, ledger: Ledger, **conf: str) -> subprocess.Popen[str]:
        """Starts the program that writes all it processes into `ledger`."""
        arguments = app, stream, service.endpoint, REGION, str(ledger.path)
        return self.submit(PROGRAMS / "ledger.py", *arguments, **conf)


@pytest.fixture
def programs() -> Iterator[Programs]:
    programs = Programs()
    yield programs
    for process in programs.running:
        if process.poll() is None:
            process.kill()
        output, _ = process.communicate()
        if output:
            print(f"--- output of process {process.pid} (exit code {process.returncode})\n{output[-4000:]}")


def stop(process: subprocess.Popen[str]) -> None:
    """Asks a program to stop gracefully and waits for its end."""
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=30)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger")


class Feed:
    """Puts numbered records: `key:number`, each key counting from 0."""

    def __init__(self, service: Service, stream: str, keys: int) -> None:
        self.kinesis = service.client("kinesis")
        self.stream = stream
        self.next = {f"key{number}": 0 for number in range(keys)}
        self.last: dict[str, str] = {}

    def put(self, rounds: int) -> None:
        """Puts `rounds` records for each key, in order."""
        records = []
        for _ in range(rounds):
            for key, number in self.next.items():
                records.append({"Data": f"{key}:{number}".encode(), "PartitionKey": key})
                self.next[key] = number + 1
        for start in range(0, len(records), 500):
            answer = self.kinesis.put_records(StreamName=self.stream, Records=records[start : start + 500])
            assert answer["FailedRecordCount"] == 0, answer
            self.last |= {record["ShardId"]: record["SequenceNumber"] for record in answer["Records"]}

    @contextmanager
    def kept_up(self, rounds: int, every_s: float) -> Iterator[threading.Event]:
        """Puts `rounds` records for each key every so often; the event ends it early, and can be waited for."""
        done = threading.Event()

        def keep_putting() -> None:
            while not done.wait(every_s):
                self.put(rounds)

        putting = threading.Thread(target=keep_putting)
        putting.start()
        try:
            yield done
        finally:
            done.set()
            putting.join()

    def checkpointed(self, service: Service, app: str) -> bool:
        """Whether the lease table says that every record put so far is processed."""
        leases = service.leases(app)
        return all(shard in leases and leases[shard]["checkpoint"] == last for shard, last in self.last.items())

    def all(self) -> set[str]:
        """Every record put so far."""
        return {f"{key}:{number}" for key, count in self.next.items() for number in range(count)}


def assert_in_order(values: list[str]) -> None:
    """For each key, first appearances count up from 0 without a gap."""
    expected: dict[str, int] = {}
    for value in values:
        key, number = value.split(":")
        upcoming = expected.get(key, 0)
        assert int(number) <= upcoming, f"{value} was processed before {key}:{upcoming}"
        if int(number) == upcoming:
            expected[key] = upcoming + 1
