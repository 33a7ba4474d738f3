"""A query that writes each batch's records into a directory, as JSON, and stops in the middle of one if told so."""

from __future__ import annotations

import json
import sys
import time
import uuid
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession


def main() -> None:
    directory, settings = Path(sys.argv[1]), json.loads(sys.argv[2])
    builder = SparkSession.builder.master(settings["master"]).appName("batches")
    for key, value in settings["conf"].items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()

    def write(frame: DataFrame, batch: int) -> None:
        rows = frame.select("shardId", "sequenceNumber", "subSequenceNumber", "data").collect()
        records = sorted([row[0], int(row[1]), row[2], bytes(row[3]).decode()] for row in rows)
        written = directory / f"batch-{batch}-{uuid.uuid4().hex}.json"
        temporary = written.with_suffix(".part")
        temporary.write_text(json.dumps(records))
        temporary.replace(written)
        while (directory / f"hold-{batch}").exists():
            (directory / f"held-{batch}").touch()
            time.sleep(0.02)

    stream = spark.readStream.format("kinesis").options(**settings["options"]).load()
    query = (
        stream.writeStream.foreachBatch(write)
        .option("checkpointLocation", str(directory / "checkpoint"))
        .trigger(processingTime="200 milliseconds")
        .start()
    )
    query.awaitTermination()


main()
