"""Figures of the source for Structured Streaming: rows a second into `noop`, and what a trigger with few records takes.

    make test-spark TESTS=tests/spark/test_cluster.py   # installs .spark
    .spark/bin/python bench/structured.py [--records N] [--master spark://HOST:PORT]

The same rows from a source without Kinesis stand beside it: record batches that are made once and yielded.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cloudpickle
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.datasource import DataSource, DataSourceStreamReader, InputPartition

from millstream.spark.records import SCHEMA
from millstream.testing import LocalKinesis, local_kinesis

SHARDS, RECORD_BYTES, BLOCK = 4, 1_000, 10_000
KEYS = {"awsAccessKeyId": "local", "awsSecretKey": "local"}


class BareReader(DataSourceStreamReader):
    """Says at once that `records` rows are there, and yields the same batch again and again."""

    def __init__(self, records: int) -> None:
        self.records = records

    def initialOffset(self) -> dict[str, int]:
        return {"rows": 0}

    def latestOffset(self) -> dict[str, int]:  # type: ignore[override]
        return {"rows": self.records}

    def partitions(self, start: dict[str, int], end: dict[str, int]) -> list[InputPartition]:
        rows = (end["rows"] - start["rows"]) // SHARDS
        return [InputPartition(rows) for _ in range(SHARDS if rows else 0)]

    def read(self, partition: InputPartition) -> Any:
        import pyarrow as arrow

        columns: list[Any] = [[os.urandom(RECORD_BYTES)] * BLOCK]
        columns += [[text * length] * BLOCK for text, length in (("k", 8), ("s", 5), ("h", 20), ("4", 56))]
        columns += [[0] * BLOCK, [time.time_ns() // 1_000] * BLOCK]
        kinds = [arrow.binary(), *[arrow.string()] * 4, arrow.int64(), arrow.timestamp("us", tz="UTC")]
        names = [column.split(" ")[0] for column in SCHEMA.split(", ")]
        arrays = [arrow.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
        batch = arrow.RecordBatch.from_arrays(arrays, names=names)
        return (batch for _ in range(partition.value // BLOCK))


class TicksReader(DataSourceStreamReader):
    """Ten rows at every look, made by the task: what Spark takes for a trigger of any source in Python."""

    def initialOffset(self) -> dict[str, int]:
        return {"ms": 0}

    def latestOffset(self) -> dict[str, int]:  # type: ignore[override]
        return {"ms": time.time_ns() // 1_000_000}

    def partitions(self, start: dict[str, int], end: dict[str, int]) -> list[InputPartition]:
        return [InputPartition(10)] if start != end else []

    def read(self, partition: InputPartition) -> Any:
        return (row for row in [(b"x", "k", "s", "h", "4", 0, None)] * partition.value)


class TicksSource(DataSource):
    @classmethod
    def name(cls) -> str:
        return "ticks"

    def schema(self) -> str:
        return SCHEMA

    def streamReader(self, schema: Any) -> DataSourceStreamReader:
        return TicksReader()


class BareSource(DataSource):
    @classmethod
    def name(cls) -> str:
        return "bare"

    def schema(self) -> str:
        return SCHEMA

    def streamReader(self, schema: Any) -> DataSourceStreamReader:
        return BareReader(int(self.options["records"]))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--records", type=int, default=4_000_000)
    arguments.add_argument("--master", default="local[2]")
    given = arguments.parse_args()
    os.environ["PYSPARK_PYTHON"] = sys.executable
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    builder = SparkSession.builder.master(given.master).appName("structured").config("spark.ui.enabled", "false")
    spark = builder.config("spark.driver.memory", "2g").getOrCreate()
    spark.dataSource.register(BareSource)
    spark.dataSource.register(TicksSource)
    with local_kinesis({"records": SHARDS, "few": SHARDS}) as kinesis, tempfile.TemporaryDirectory() as directory:
        put(kinesis, given.records)
        many = frame(spark, kinesis, "records", inlineBytes=0)
        bare = spark.readStream.format("bare").option("records", given.records).load()
        for number in range(3):
            for name, rows in (("without Kinesis", bare), ("kinesis", many)):
                took = drain(rows, Path(directory) / f"{name}-{number}")
                print(f"{name:20}{given.records / took:>12,.0f} rows/s", flush=True)
        few(spark, kinesis, Path(directory))
    print(f"{given.records:,} records of {RECORD_BYTES} B in {SHARDS} shards; load at the end {os.getloadavg()[0]:.1f}")
    spark.stop()


def put(kinesis: LocalKinesis, records: int) -> None:
    """Fills the stream by the command line."""
    with tempfile.NamedTemporaryFile("w") as file:
        file.writelines(f"{number:0{RECORD_BYTES}d}\n" for number in range(records))
        file.flush()
        command = [sys.executable, "-m", "millstream", "put", "records", file.name]
        environment = {**os.environ, **kinesis.environment}
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def source_options(endpoint: str, stream: str, **more: object) -> dict[str, str]:
    """Options of the source that read all of a stream, as quickly as it goes."""
    options = {"streamName": stream, "endpointUrl": endpoint, "region": "us-east-1", **KEYS, **more}
    options |= {"initialPosition": "trim_horizon", "getRecords.fetchIntervalMs": 0}
    return {key: str(value) for key, value in options.items()}


def frame(spark: SparkSession, kinesis: LocalKinesis, stream: str, **more: object) -> DataFrame:
    return spark.readStream.format("kinesis").options(**source_options(kinesis.endpoint, stream, **more)).load()


def drain(rows: DataFrame, checkpoint: Path) -> float:
    """Seconds from the first trigger that has rows to the end of the last one."""
    query = rows.writeStream.format("noop").option("checkpointLocation", str(checkpoint)).trigger(availableNow=True)
    running = query.start()
    running.awaitTermination()
    progress = [one for one in running.recentProgress if one.numInputRows]
    return sum(one.durationMs["triggerExecution"] for one in progress) / 1_000


def few(spark: SparkSession, kinesis: LocalKinesis, directory: Path) -> None:
    """Triggers with ten records, beside those of other sources."""
    import boto3

    client = boto3.client("kinesis", **kinesis.client_settings)
    rate = spark.readStream.format("rate").option("rowsPerSecond", 40).load()
    for name, others in (("Spark's rate source", rate), ("a bare source", spark.readStream.format("ticks").load())):
        running = others.writeStream.format("noop").option("checkpointLocation", str(directory / name)).start()
        while len([one for one in running.recentProgress if one.numInputRows]) < 35:
            time.sleep(0.1)
        tell(name, running)
    rows = frame(spark, kinesis, "few")
    running = rows.writeStream.format("noop").option("checkpointLocation", str(directory / "few")).start()
    for _ in range(40):
        seen = len(running.recentProgress)
        client.put_records(StreamName="few", Records=[{"Data": b"x", "PartitionKey": str(key)} for key in range(10)])
        deadline = time.monotonic() + 30
        while len(running.recentProgress) == seen and time.monotonic() < deadline:
            time.sleep(0.01)
    tell("kinesis", running)


def tell(source: str, running: Any) -> None:
    """Ends a query: medians of what its triggers with rows took, without the first five."""
    progress = [one.durationMs for one in running.recentProgress if one.numInputRows][5:]
    running.stop()
    parts = ("triggerExecution", "latestOffset", "queryPlanning", "addBatch", "walCommit", "commitOffsets")
    medians = [f"{part} {statistics.median(one.get(part, 0) for one in progress):,.0f}" for part in parts]
    print(f"{source}, triggers with few records, ms: {', '.join(medians)}")


if __name__ == "__main__":
    main()
