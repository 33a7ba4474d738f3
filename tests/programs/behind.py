"""Sums up the bytes of a stream and prints what it knows after each batch with records: APP STREAM ENDPOINT REGION GO.

The first batch waits until there is a file GO, so that the program is as far behind as the stream is long. A line is
`records bytes most`: most is the greatest resident memory of the process so far, in MiB.
"""

import os
import re
import sys
import time

from pyspark import SparkContext, StorageLevel
from pyspark.streaming import StreamingContext
from pyspark.streaming.kinesis import InitialPositionInStream, KinesisUtils

app, stream, endpoint, region, go = sys.argv[1:6]
records, size = 0, 0


def most_resident():
    with open("/proc/self/status") as status:
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1]) // 1024


def add_up(rdd):
    global records, size
    lengths = rdd.map(len).collect()
    if not lengths:
        return
    if not records:
        print(f"held {len(lengths)} {most_resident()}", flush=True)
    while not os.path.exists(go):
        time.sleep(0.05)
    records, size = records + len(lengths), size + sum(lengths)
    print(f"{records} {size} {most_resident()}", flush=True)


if __name__ == "__main__":
    ssc = StreamingContext(SparkContext(appName="Behind"), 0.1)
    data = KinesisUtils.createStream(
        ssc, app, stream, endpoint, region, InitialPositionInStream.TRIM_HORIZON, 1, StorageLevel.MEMORY_ONLY
    )
    data.foreachRDD(add_up)
    ssc.start()
    ssc.awaitTermination()
