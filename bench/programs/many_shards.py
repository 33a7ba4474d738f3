"""Batches of a stream with many shards: APP STREAM ENDPOINT REGION RECORDS BATCHES INTERVAL_S.

Prints one line of JSON: for each of BATCHES after the one that has the last of RECORDS, the milliseconds from its cut
to its output done; and of all these the processor time a batch in milliseconds.
"""

import json
import sys
import threading
import time

from batch_times import run_until
from pyspark import SparkContext, StorageLevel
from pyspark.streaming import StreamingContext
from pyspark.streaming.kinesis import InitialPositionInStream, KinesisUtils

if __name__ == "__main__":
    records, batches, interval_s = int(sys.argv[5]), int(sys.argv[6]), float(sys.argv[7])
    ssc = StreamingContext(SparkContext(appName="ManyShardsBench"), interval_s)
    lines = KinesisUtils.createStream(
        ssc, *sys.argv[1:5], InitialPositionInStream.TRIM_HORIZON, 1, StorageLevel.MEMORY_ONLY
    )
    since_cut_ms, cpu_s, seen = [], [], 0
    done = threading.Event()

    def look(cut, rdd):
        global seen
        count = rdd.count()
        if seen >= records and not done.is_set():
            since_cut_ms.append(1e3 * (time.time() - cut.timestamp()))
            cpu_s.append(time.process_time())
            if len(since_cut_ms) > batches:
                done.set()
        seen += count

    lines.foreachRDD(look)
    ssc.start()
    run_until(ssc, done)
    print(json.dumps({"since_cut": since_cut_ms[1:], "cpu": 1e3 * (cpu_s[-1] - cpu_s[0]) / batches}), flush=True)
    ssc.stop()
