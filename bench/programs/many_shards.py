"""Batches of a stream with many shards: APP STREAM ENDPOINT REGION RECORDS BATCHES INTERVAL_S.

Prints one line of JSON: for each of BATCHES after the one that has the last of RECORDS, the milliseconds from its cut
to its output done; and of all these the processor time a batch in milliseconds, and the resident memory in MB.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path

from pyspark import SparkContext, StorageLevel
from pyspark.streaming import StreamingContext
from pyspark.streaming.kinesis import InitialPositionInStream, KinesisUtils

if __name__ == "__main__":
    records, batches, interval_s = int(sys.argv[5]), int(sys.argv[6]), float(sys.argv[7])
    ssc = StreamingContext(SparkContext(appName="ManyShardsBench"), interval_s)
    lines = KinesisUtils.createStream(
        ssc, *sys.argv[1:5], InitialPositionInStream.TRIM_HORIZON, 1, StorageLevel.MEMORY_ONLY
    )
    since_cut_ms, seen, cpu_s = [], 0, 0.0
    done = threading.Event()

    def look(cut, rdd):
        global seen, cpu_s
        count = rdd.count()
        if seen >= records and not done.is_set():
            since_cut_ms.append(1e3 * (time.time() - cut.timestamp()))
            if len(since_cut_ms) == 1:
                cpu_s = time.process_time()
            elif len(since_cut_ms) > batches:
                cpu_s = time.process_time() - cpu_s
                done.set()
        seen += count

    lines.foreachRDD(look)
    ssc.start()
    while not done.wait(0.1):
        if ssc.awaitTerminationOrTimeout(0.1):
            sys.exit("the stream ended early")
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    print(json.dumps({"since_cut": since_cut_ms[1:], "cpu": 1e3 * cpu_s / batches, "resident": resident}), flush=True)
    ssc.stop()
