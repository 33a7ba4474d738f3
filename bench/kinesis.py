"""A Kinesis stream of the local service: how soon the first batch is done, and how fast records come in."""

from __future__ import annotations

import base64
import json
import os
import random
import select
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
from engines import MILLSTREAM, PROGRAMS, Engine, millstream
from table import Table

STARTS = 5
#: Records of 12 words of 7 letters: 95 bytes.
RECORDS, SHARDS = 3_000_000, 4
#: Records of which each says when it was put, 20 a second.
PUTS, PUT_EVERY_S = 400, 0.05
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
#: A PutRecord without its body.
PUT = (
    "POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: Kinesis_20131202.PutRecord\r\n"
    "Content-Type: application/x-amz-json-1.1\r\nX-Amz-Date: 20260102T000000Z\r\n"
    "Authorization: AWS4-HMAC-SHA256 Credential=local/20260102/us-east-1/kinesis/aws4_request, "
    "SignedHeaders=host, Signature=0\r\nContent-Length: %d\r\n\r\n"
)
#: What Spark 3.5 with its connector did on this workload; it was measured once, on 2 cores, and is not run here.
CONNECTOR = "Spark's connector (measured before)", 33_500.0


@contextmanager
def service(*arguments: str, data_dir: Path | None = None, prefix: tuple[str, ...] = ()) -> Iterator[str]:
    """A local service, in memory unless it is given a directory; its endpoint. `prefix`: what runs it."""
    kept = ["--memory"] if data_dir is None else ["--data-dir", str(data_dir)]
    command = [*prefix, str(MILLSTREAM), "local", *kept, "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split(" is ready at ")[1].split()[0]
        process.terminate()


def put(endpoint: str, stream: str, lines: str) -> None:
    """Puts lines into a stream."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(lines)
        file.flush()
        subprocess.run(
            [str(MILLSTREAM), "put", stream, file.name, "--endpoint-url", endpoint],
            check=True,
            env={**os.environ, **ENVIRONMENT},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def put_words(endpoint: str, stream: str) -> None:
    """Puts RECORDS lines of 12 words into a stream."""
    chance = random.Random(7)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=7)) for _ in range(5_000)]
    put(endpoint, stream, "".join(" ".join(chance.choices(words, k=12)) + "\n" for _ in range(RECORDS)))


class Stream:
    """A stream of the local service, for records that say when they were put."""

    def __init__(self, endpoint: str, name: str) -> None:
        self.endpoint, self.name = endpoint, name
        settings = {"region_name": "us-east-1", "aws_access_key_id": "local", "aws_secret_access_key": "local"}
        self.kinesis = boto3.client("kinesis", endpoint_url=endpoint, **settings)
        host, port = endpoint.removeprefix("http://").split(":")
        self._connection = socket.create_connection((host, int(port)))
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def put_now(self, key: int) -> None:
        """A record that says when it was put, as one write to a socket: boto3 takes more time for a put than the record
        then takes to its reader. The local service does not look at the signature."""
        now = base64.b64encode(str(time.time_ns()).encode()).decode()
        body = json.dumps({"StreamName": self.name, "PartitionKey": str(key), "Data": now})
        self._connection.sendall((PUT % len(body) + body).encode())
        answer = self._connection.recv(65_536)
        if not answer.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(f"PutRecord: {answer.decode()}")

    def put_until(self, is_seen: Callable[[], bool], every_s: float) -> None:
        """Puts records to all shards until they are seen."""
        for key in range(100_000):
            if is_seen():
                return
            self.put_now(key)
            time.sleep(every_s)


def measure_starts(table: Table, _: Engine) -> None:
    """From the start of the process to the first batch done, for new applications."""
    with service("--stream", "lines:4") as endpoint:
        put(endpoint, "lines", "to be or not to be\n" * 10)
        for number in range(STARTS):
            submit = [str(MILLSTREAM), "submit", str(PROGRAMS / "first_batch.py")]
            began = time.monotonic()
            with subprocess.Popen(
                [*submit, f"start-{number}", "lines", endpoint, "us-east-1"],
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, **ENVIRONMENT},
            ) as program:
                assert program.stdout is not None
                program.stdout.readline()
                table.add("process start to first batch from Kinesis, s", "Millstream", time.monotonic() - began)


def measure_latencies(table: Table, _: Engine) -> None:
    """From the put of a record to the output of its batch."""
    for retrieval, interval_s in (("polling", 1.0), ("fanOut", 0.05)):
        with service("--stream", f"lines:{SHARDS}") as endpoint:
            program = [str(PROGRAMS / "latencies.py"), f"bench-{time.time_ns()}", "lines", endpoint, "us-east-1"]
            command = [str(MILLSTREAM), "submit", *program, retrieval, str(interval_s), str(PUTS)]
            with subprocess.Popen(
                command, stdout=subprocess.PIPE, text=True, env={**os.environ, **ENVIRONMENT}
            ) as process:
                assert process.stdout is not None
                process.stdout.readline()
                stream, said = Stream(endpoint, "lines"), [process.stdout]
                stream.put_until(lambda said=said: bool(select.select(said, [], [], 0)[0]), PUT_EVERY_S)
                found = json.loads(process.stdout.readline())
        what = f"put to foreachRDD, batches of {interval_s} s, {retrieval}, {PUT_EVERY_S:.2f} s between puts, p50 ms"
        table.add(what, "the wait for the batch's end", *found["waited"])
        table.add(what, "Millstream", *found["put"])


def measure_records(table: Table, _: Engine) -> None:
    """Records through the whole path: service, reader, decoding, word count."""
    figure = f"Kinesis in, records of 95 B, {SHARDS} shards, records/s"
    with service("--stream", f"words:{SHARDS}") as endpoint:
        put_words(endpoint, "words")
        for engine in (millstream("local[2]"), millstream("local[1]")):
            fast = Engine(
                engine.name, [*engine.command, "--conf=spark.millstream.kinesis.readInterval=1ms"], ENVIRONMENT
            )
            app = f"bench-{time.time_ns()}"
            found, _ = fast.run("kinesis_words.py", app, "words", endpoint, "us-east-1", RECORDS)
            table.add(figure, engine.name, RECORDS / (found["last"] - found["first"]), more_is_better=True)
    table.add(figure, CONNECTOR[0], CONNECTOR[1], more_is_better=True)
