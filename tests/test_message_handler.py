"""A program with a message handler that begins at a time, on the local service."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from conftest import MILLSTREAM, REGION, Service, environment

PROGRAM = """
import sys, threading
from datetime import datetime
from pyspark import SparkContext
from pyspark.streaming import StreamingContext
from millstream.streaming.kinesis_builder import KinesisInitialPositions, KinesisInputDStream

app, stream, endpoint, region, begin = sys.argv[1:]
ssc = StreamingContext(SparkContext(appName="Handler"), 0.1)
done = threading.Event()

def show(rdd):
    for row in rdd.collect():
        print(*row, flush=True)
        done.set()

(
    KinesisInputDStream.builder.streamingContext(ssc).streamName(stream).checkpointAppName(app)
    .endpointUrl(endpoint).regionName(region)
    .initialPosition(KinesisInitialPositions.AtTimestamp(datetime.fromtimestamp(float(begin))))
    .buildWithMessageHandler(
        lambda r: (r.data.decode(), r.partition_key, r.sequence_number, r.shard_id, r.stream,
                   r.approximate_arrival_timestamp.timestamp() >= float(begin))
    )
    .foreachRDD(show)
)
ssc.start()
done.wait(20)
ssc.stop()
"""


def test_records_from_a_time_on(service: Service, app: str, tmp_path: Path) -> None:
    stream = service.stream(1)
    kinesis = service.client("kinesis")
    kinesis.put_record(StreamName=stream, Data=b"before", PartitionKey="k0")
    time.sleep(0.01)
    begin = time.time()
    time.sleep(0.01)
    put = kinesis.put_record(StreamName=stream, Data=b"after", PartitionKey="k1")
    program = tmp_path / "handler.py"
    program.write_text(PROGRAM)
    done = subprocess.run(
        [
            str(MILLSTREAM),
            "submit",
            "--master",
            "local[2]",
            str(program),
            app,
            stream,
            service.endpoint,
            REGION,
            str(begin),
        ],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
    )
    assert done.stderr == ""
    assert done.stdout.split() == ["after", "k1", put["SequenceNumber"], put["ShardId"], stream, "True"]
