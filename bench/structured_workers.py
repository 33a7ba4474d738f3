"""One worker of Spark beside two at equal cores, and what executors read beside the consumer.

    make test-spark TESTS=tests/spark/test_cluster.py   # installs .spark
    .spark/bin/python bench/structured_workers.py [--rounds N] [--records N]

* One process without Spark: the ranges of a batch as an executor reads them, beside the consumer (`millstream.kcl`),
  which gives the same records as Arrow, checkpoints and renews leases.
* Rows a second into `noop` on a standalone cluster: one worker with two cores, two workers with one each.
"""

# ruff: noqa: E402 (the cluster is that of the tests)

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path += [str(ROOT), str(ROOT / "tests" / "spark")]

from cluster import CONF, spark_environment, start_cluster
from pyspark.sql import SparkSession
from structured import RECORD_BYTES, SHARDS, drain, frame, put, source_options
from table import Table

from millstream.kcl import Checkpointer, ProcessRecordsInput, RecordProcessor, Settings, Worker
from millstream.spark.options import Options
from millstream.spark.stream_reader import stream_reader
from millstream.testing import LocalKinesis, local_kinesis

CORES = 2


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--records", type=int, default=2_000_000)
    arguments.add_argument("--rounds", type=int, default=3)
    given = arguments.parse_args()
    os.environ.update(spark_environment())
    table = Table()
    with local_kinesis({"records": SHARDS}) as kinesis:
        put(kinesis, given.records)
        for _ in range(given.rounds):
            for name, read in (("the consumer", consume), ("an executor's tasks", read_ranges)):
                took, used = alone(read, kinesis, given.records)
                table.add("read in one process, records/s", name, given.records / took, more_is_better=True)
                table.add(
                    "read in one process, records per CPU second", name, given.records / used, more_is_better=True
                )
            for workers in (1, 2):
                rate = given.records / on_cluster(kinesis, workers)
                name = f"{workers} worker(s), {CORES // workers} core(s) each"
                table.add("rows/s into noop", name, rate, more_is_better=True)
    table.print(given.rounds, f"{given.records:,} records of {RECORD_BYTES} B in {SHARDS} shards")


def on_cluster(kinesis: LocalKinesis, workers: int) -> float:
    """Seconds of the triggers that read the stream, on a cluster that is new."""
    with tempfile.TemporaryDirectory() as directory:
        cores = CORES // workers
        cluster = start_cluster(Path(directory), workers, cores)
        try:
            builder = SparkSession.builder.master(cluster.url).appName("structured")
            for key, value in (CONF | {"spark.executor.cores": str(cores), "spark.executor.memory": "1g"}).items():
                builder = builder.config(key, value)
            spark = builder.getOrCreate()
            try:
                rows = frame(spark, kinesis, "records", inlineBytes=0)
                # The first query pays for the start of executors and of their Python.
                drain(rows, Path(directory) / "warm")
                return drain(rows, Path(directory) / "checkpoint")
            finally:
                spark.stop()
        finally:
            cluster.stop()


def alone(read: Any, kinesis: LocalKinesis, records: int) -> tuple[float, float]:
    """Seconds and CPU seconds of a process of its own that reads all records."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(read, (kinesis.endpoint, records))


def read_ranges(endpoint: str, records: int) -> tuple[float, float]:
    """Reads one batch of all records as the tasks of an executor do, one after the other."""
    reader: Any = stream_reader(Options.of(source_options(endpoint, "records", inlineBytes=0)))
    start, read = reader.initialOffset(), 0
    if hasattr(reader, "prepareForTriggerAvailableNow"):
        reader.prepareForTriggerAvailableNow()
        end = reader.latestOffset(start, None)
    else:
        end = reader.latestOffset()
    tasks = reader.partitions(start, end)
    reader.stop()
    began, used = time.monotonic(), cpu_s()
    for task in tasks:
        read += sum(batch.num_rows for batch in reader.read(task))
    if not 0 < read <= records:
        raise AssertionError(f"{read} records were read of {records}")
    # What the batch does not have is not counted.
    share = records / read
    return (time.monotonic() - began) * share, (cpu_s() - used) * share


def consume(endpoint: str, records: int) -> tuple[float, float]:
    """Reads all records by a worker of ours, as Arrow."""
    seen: dict[str, Any] = {"records": 0}

    class Processor(RecordProcessor):
        def process_records(self, process_records_input: ProcessRecordsInput[Checkpointer]) -> None:
            if not seen["records"]:
                seen["began"], seen["used"] = time.monotonic(), cpu_s()
            rows = process_records_input.to_arrow().num_rows
            if not seen["records"]:
                # What came with the first call was read before the clock ran.
                seen["before"] = rows
            seen["records"] += rows
            process_records_input.checkpointer.checkpoint()
            if seen["records"] >= records and "ended" not in seen:
                seen["ended"], seen["cpu"] = time.monotonic(), cpu_s()
                worker.stop()

    worker = Worker(
        Processor,
        Settings(
            application_name=f"bench-{time.time_ns()}",
            stream_name="records",
            region_name="us-east-1",
            endpoint_url=endpoint,
            idle_time_between_reads=0.001,
        ),
    )
    worker.run()
    share = records / (records - seen["before"])
    return (seen["ended"] - seen["began"]) * share, (seen["cpu"] - seen["used"]) * share


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
