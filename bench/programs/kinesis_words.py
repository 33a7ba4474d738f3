"""Word count of all that a stream has: APP STREAM ENDPOINT REGION RECORDS.

Prints one line of JSON: the seconds from the start of the streams to the first batch with records, and to the end of
the batch that has the last of RECORDS.
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
    records = int(sys.argv[5])
    ssc = StreamingContext(SparkContext(appName="KinesisWordsBench"), 1)
    lines = KinesisUtils.createStream(
        ssc, *sys.argv[1:5], InitialPositionInStream.TRIM_HORIZON, 2, StorageLevel.MEMORY_ONLY
    )
    counts = lines.flatMap(lambda line: line.split(" ")).map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b)
    marks, done = {"words": 0}, threading.Event()

    def add_up(rdd):
        began = time.time()
        words = sum(count for _, count in rdd.collect())
        if words:
            marks.setdefault("first", began - started)
            marks["words"] += words
        if marks["words"] >= 12 * records:
            marks["last"] = time.time() - started
            done.set()

    counts.foreachRDD(add_up)
    started = time.time()
    ssc.start()
    run_until(ssc, done)
    print(json.dumps(marks), flush=True)
    ssc.stop()
