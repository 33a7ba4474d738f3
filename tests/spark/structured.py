"""Queries of Structured Streaming on a stream of the local service."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cluster import CONF, spark_environment

from tests.conftest import REGION, Feed, Service, assert_in_order, wait_until

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

PROGRAM = Path(__file__).parent / "programs" / "batches.py"

#: Spark before 4.2 has no limits for sources in Python, and does not tell them that a query's last batch is processed.
needs_spark_42 = pytest.mark.skipif(find_spec("pyspark.sql.streaming.datasource") is None, reason="needs Spark 4.2")


def options(service: Service, stream: str, **more: object) -> dict[str, str]:
    """Options that lead to the local service, from the oldest record on."""
    keys = {"awsAccessKeyId": "test", "awsSecretKey": "test"}
    reading = {"initialPosition": "trim_horizon", "describeShardInterval": "1s"}
    given = {"streamName": stream, "endpointUrl": service.endpoint, "region": REGION, **keys, **reading, **more}
    return {name: str(value) for name, value in given.items()}


def source(spark: SparkSession, service: Service, stream: str, **more: object) -> DataFrame:
    """The stream as a streaming DataFrame."""
    return spark.readStream.format("kinesis").options(**options(service, stream, **more)).load()


def records(frame: DataFrame) -> list[tuple[str, int, int, str]]:
    """Shard, sequence number, sub-sequence number and data of each row, in their order within the shards."""
    rows = frame.select("shardId", "sequenceNumber", "subSequenceNumber", "data").collect()
    return sorted((row[0], int(row[1]), row[2], bytes(row[3]).decode()) for row in rows)


@dataclass
class Batches:
    """What a query has processed: for each batch id, its records each time it was run."""

    runs: dict[int, list[list[tuple[str, int, int, str]]]] = field(default_factory=dict)

    def __call__(self, frame: DataFrame, batch: int) -> None:
        """For `foreachBatch`."""
        found = records(frame)
        self.runs[batch] = [*self.runs.get(batch, []), found]

    def values(self) -> list[str]:
        """The data, in the order of the batches."""
        return [record[3] for batch in sorted(self.runs.copy()) for record in self.runs[batch][-1]]


class Program:
    """`programs/batches.py` in a process of its own, which writes each batch into a directory."""

    def __init__(self, master: str, directory: Path, given: dict[str, str], **conf: str) -> None:
        directory.mkdir(exist_ok=True)
        self.directory = directory
        self.log = directory / "log"
        settings = json.dumps({"master": master, "options": given, "conf": {**CONF, **conf}})
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(PROGRAM), str(directory), settings],
                stdout=log,
                stderr=log,
                env=spark_environment(),
                start_new_session=True,
            )

    def runs(self) -> dict[int, list[list[Any]]]:
        """For each batch id, its records each time it was begun."""
        found: dict[int, list[list[Any]]] = {}
        for path in sorted(self.directory.glob("batch-*.json"), key=lambda path: path.stat().st_mtime_ns):
            found.setdefault(int(path.name.split("-")[1]), []).append(json.loads(path.read_text()))
        return found

    def values(self) -> list[str]:
        """The data, in the order of the batches."""
        runs = self.runs()
        return [record[3] for batch in sorted(runs) for record in runs[batch][-1]]

    def wait_for(self, what: str, condition: Any, seconds: float = 240) -> None:
        """Waits, and shows the program's log where it ends before."""

        def is_met() -> bool:
            assert self.process.poll() is None, self.log.read_text()[-4000:]
            return bool(condition())

        wait_until(what, is_met, seconds)

    def hold(self, batch: int) -> None:
        """Lets the program stop in the middle of a batch, after it has written it."""
        (self.directory / f"hold-{batch}").touch()

    def release(self, batch: int) -> None:
        (self.directory / f"hold-{batch}").unlink()

    def is_held(self, batch: int) -> bool:
        return (self.directory / f"held-{batch}").exists()

    def kill(self) -> None:
        """Ends driver and JVM at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """Ends the program, if it still runs."""
        if self.process.poll() is None:
            self.kill()


def assert_reads_what_is_put(program: Program, feed: Feed) -> None:
    """Whether a program that has just begun processes what is put, each record once and in order. Ends the program."""
    feed.put(10)
    try:
        program.wait_for("all records are processed", lambda: set(program.values()) == feed.all())
        feed.put(10)
        program.wait_for("later ones are, too", lambda: set(program.values()) == feed.all())
    finally:
        program.stop()
    assert_replays_are_identical(program.runs())
    assert sorted(program.values()) == sorted(feed.all())
    assert_in_order(program.values())


def assert_replays_are_identical(runs: dict[int, list[list[Any]]]) -> int:
    """Whether each batch had the same records whenever it was run; returns how many were run more than once."""
    for batch, times in runs.items():
        for again in times[1:]:
            assert again == times[0], f"batch {batch} had {len(times[0])} records, then {len(again)}"
    return sum(len(times) > 1 for times in runs.values())


def numbers(values: list[str]) -> Iterator[tuple[str, int]]:
    """Key and number of the records of a `Feed`."""
    for value in values:
        key, number = value.split(":")
        yield key, int(number)
