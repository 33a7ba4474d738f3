"""Figures of one program of streams on a cluster of Spark beside one machine, with as many cores.

    make test-spark TESTS=tests/spark/test_cluster.py   # installs .spark
    .spark/bin/python bench/streams_on_spark.py [--rounds N] [--records N]

The cluster is a master and two workers on this machine, each with one core.
"""

# ruff: noqa: E402 (the cluster is that of the tests)

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "spark")]

from cluster import CONF, spark_environment, start_cluster
from engines import Engine, millstream
from kinesis import ENVIRONMENT, SHARDS, put, service
from table import Table

BATCHES = 20


def engines(master: str) -> list[Engine]:
    """One machine, and the cluster with records carried along and read by executors."""
    flags = [f"--conf={key}={value}" for key, value in CONF.items()]
    one_machine = millstream("local[2]")
    found = [Engine(one_machine.name, one_machine.command, ENVIRONMENT)]
    for name, carried in (("carried along", 1 << 20), ("read on executors", 0)):
        of_spark = millstream(master)
        carry = f"--conf=spark.millstream.cluster.carriedKiB={carried}"
        environment = {**spark_environment(), **ENVIRONMENT}
        found.append(Engine(f"Spark, 2 workers, {name}", [*of_spark.command, *flags, carry], environment))
    return found


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--records", type=int, default=300_000)
    arguments.add_argument("--rounds", type=int, default=3)
    given = arguments.parse_args()
    chance = random.Random(7)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=7)) for _ in range(5_000)]
    lines = "".join(" ".join(chance.choices(words, k=12)) + "\n" for _ in range(given.records))
    table = Table()
    with tempfile.TemporaryDirectory() as directory, service("--stream", f"words:{SHARDS}") as endpoint:
        put(endpoint, "words", lines)
        cluster = start_cluster(Path(directory), workers=2)
        try:
            for _ in range(given.rounds):
                for engine in engines(cluster.url):
                    measure(table, engine, endpoint, given.records)
        finally:
            cluster.stop()
    table.print(given.rounds, f"{given.records:,} records")


def measure(table: Table, engine: Engine, endpoint: str, records: int) -> None:
    """Small batches, where nothing is read, and all records of a stream."""
    if "executors" not in engine.name:
        found, _ = engine.run("small_batches.py", BATCHES)
        table.add("batch with ten lines, ms", engine.name, *found["ms"])
    fast = Engine(
        engine.name, [*engine.command, "--conf=spark.millstream.kinesis.readInterval=1ms"], engine.environment
    )
    app = f"bench-{time.time_ns()}"
    found, _ = fast.run("kinesis_words.py", app, "words", endpoint, "us-east-1", records)
    figure = f"Kinesis in, records of 95 B, {SHARDS} shards, records/s"
    table.add(figure, engine.name, records / (found["last"] - found["first"]), more_is_better=True)


if __name__ == "__main__":
    main()
