"""Flights and average delay per carrier, batch by batch: the deck's program on real data.

    millstream submit examples/flights/carrier_delays.py APP STREAM ENDPOINT REGION [AUDIT_DIRECTORY]

With an audit directory, every batch leaves a file there that names the flights it processed and when it was done; the
demo compares them with what was put.
"""

import json
import os
import sys
import time
from array import array
from pathlib import Path

from pyspark import SparkContext, StorageLevel
from pyspark.streaming import StreamingContext
from pyspark.streaming.kinesis import InitialPositionInStream, KinesisUtils


def departed(line):
    """The flight of a line, none for one that was cancelled."""
    flight = json.loads(line)
    return [] if flight["delay"] is None else [flight]


def add(left, right):
    return left[0] + right[0], left[1] + right[1]


def describe(total):
    carrier, (flights, minutes) = total
    return f"{carrier}  {flights:6} flights  {minutes / flights:+6.1f} min"


def auditor(directory):
    """Writes the ids of a batch's flights to a file of its own, whole or not at all."""

    def audit(batch_time, lines):
        ids = array("I", lines.map(lambda line: int(line[6 : line.index(",")])).collect())
        if ids:
            path = Path(directory) / f"{os.getpid()}-{time.time():.3f}.ids"
            path.with_suffix(".part").write_bytes(ids.tobytes())
            path.with_suffix(".part").rename(path)

    return audit


if __name__ == "__main__":
    app, stream, endpoint, region = sys.argv[1:5]

    sc = SparkContext(appName="CarrierDelays")
    ssc = StreamingContext(sc, 0.5)
    lines = KinesisUtils.createStream(
        ssc, app, stream, endpoint, region, InitialPositionInStream.TRIM_HORIZON, 2, StorageLevel.MEMORY_AND_DISK_2
    )
    delays = lines.flatMap(departed).map(lambda flight: (flight["carrier"], (1, flight["delay"]))).reduceByKey(add)
    delays.map(describe).pprint(20)
    if len(sys.argv) > 5:
        lines.foreachRDD(auditor(sys.argv[5]))

    ssc.start()
    ssc.awaitTermination()
