"""The Java Kinesis Client Library consumes from `millstream local` by polling and by fan-out, its tables in it, too.

Every record that is put has to be seen, for each key in the order of the puts, through a split and a merge. Version 3.5
is Maven's; 3.1, whose tables are laid out otherwise, is the one in the wheel `kclpy-ext`.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import boto3
from maven import jars, program
from outcome import Outcome, command
from service import WORK, environment, local

HERE = Path(__file__).parent
KCLPY = "kclpy-ext==3.1.3.post4"
# The start alone takes it a minute: it waits for its index, for metrics of its workers, and for assignments.
PATIENCE_SECONDS = 240
KEYS = [f"key{number}" for number in range(8)]


def run() -> Outcome:
    current = f"{jars(HERE)}/*"
    outcome = Outcome()
    for version, classpath in ("3.5.1", current), ("3.1.3", f"{wheel_jars()}/*"):
        for retrieval in "polling", "fan-out":
            failure = consume(classpath, retrieval)
            outcome += Outcome(failures=[f"KCL {version} by {retrieval}: {failure}"]) if failure else Outcome(1)
            print(f"kcl {version} {retrieval}: {failure or 'ok'}", file=sys.stderr, flush=True)
    return outcome


def wheel_jars() -> Path:
    target = WORK / "kclpy"
    if not (target / ".done").exists():
        target.mkdir(parents=True, exist_ok=True)
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(target), KCLPY]
        command(pip, target, dict(os.environ), 600)
        with zipfile.ZipFile(next(target.glob("*.whl"))) as wheel:
            for name in wheel.namelist():
                if name.endswith(".jar"):
                    (target / Path(name).name).write_bytes(wheel.read(name))
        (target / ".done").touch()
    return target


class Consumer:
    """The Java program, and what it has seen so far."""

    def __init__(self, classpath: str, endpoint: str, stream: str, retrieval: str) -> None:
        quiet = ["-Dorg.slf4j.simpleLogger.defaultLogLevel=error", f"-Dlogback.configurationFile={HERE}/logback.xml"]
        java = program(HERE / "Consumer.java", classpath, stream, f"{stream}-app", retrieval)
        self.process = subprocess.Popen(
            [java[0], *quiet, *java[1:]],
            env=environment(AWS_ENDPOINT_URL=endpoint),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: queue.Queue[str] = queue.Queue()
        self.seen: list[str] = []
        self.printed: list[str] = []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))

    def see(self, count: int, deadline: float) -> bool:
        """Waits until so many different records have been seen."""
        while len(set(self.seen)) < count:
            try:
                line = self.lines.get(timeout=0.2)
            except queue.Empty:
                if self.process.poll() is not None:
                    return False
            else:
                self.printed = [*self.printed[-40:], line]
                if line.startswith("seen "):
                    self.seen.append(line.split(" ")[2])
            if time.monotonic() > deadline:
                return False
        return True

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def consume(classpath: str, retrieval: str) -> str | None:
    """What went wrong, if anything."""
    with local() as endpoint:
        kinesis = client(endpoint)
        kinesis.create_stream(StreamName="s", ShardCount=2)
        put(kinesis, range(0, 20))
        consumer = Consumer(classpath, endpoint, "s", retrieval)
        try:
            deadline = time.monotonic() + PATIENCE_SECONDS
            numbers = 20
            for change in (None, split, merge):
                if change:
                    change(kinesis)
                    put(kinesis, range(numbers, numbers + 20))
                    numbers += 20
                if not consumer.see(numbers * len(KEYS), deadline):
                    found = len(set(consumer.seen))
                    printed = "\n".join(consumer.printed[-30:])
                    return (
                        f"saw {found} of {numbers * len(KEYS)} records; exit code {consumer.process.poll()}:\n{printed}"
                    )
            return out_of_order(consumer.seen)
        finally:
            consumer.stop()


def client(endpoint: str) -> Any:
    names = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client("kinesis", endpoint_url=endpoint, region_name="us-east-1", **names)


def put(kinesis: Any, numbers: range) -> None:
    for number in numbers:
        records = [{"PartitionKey": key, "Data": f"{key}:{number}".encode()} for key in KEYS]
        answer = kinesis.put_records(StreamName="s", Records=records)
        assert answer["FailedRecordCount"] == 0, answer


def split(kinesis: Any) -> None:
    kinesis.split_shard(StreamName="s", ShardToSplit="shardId-000000000000", NewStartingHashKey=str(1 << 126))


def merge(kinesis: Any) -> None:
    kinesis.merge_shards(
        StreamName="s", ShardToMerge="shardId-000000000003", AdjacentShardToMerge="shardId-000000000001"
    )


def out_of_order(seen: list[str]) -> str | None:
    """The first record that was seen before an earlier one of its key, if any; a record may be seen again."""
    upcoming = dict.fromkeys(KEYS, 0)
    for record in seen:
        key, number = record.split(":")
        if int(number) > upcoming[key]:
            return f"{record} was seen before {key}:{upcoming[key]}"
        upcoming[key] = max(upcoming[key], int(number) + 1)
    return None
