"""Ends after the first batch that has records: APP STREAM ENDPOINT REGION."""

import sys
import threading

from pyspark import SparkContext, StorageLevel
from pyspark.streaming import StreamingContext
from pyspark.streaming.kinesis import InitialPositionInStream, KinesisUtils

if __name__ == "__main__":
    ssc = StreamingContext(SparkContext(appName="FirstBatch"), 0.1)
    lines = KinesisUtils.createStream(
        ssc, *sys.argv[1:5], InitialPositionInStream.TRIM_HORIZON, 1, StorageLevel.MEMORY_ONLY
    )
    counts = lines.flatMap(lambda line: line.split(" ")).map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b)
    done = threading.Event()

    def show(rdd):
        words = rdd.collect()
        if words:
            print(words, flush=True)
            done.set()

    counts.foreachRDD(show)
    ssc.start()
    done.wait()
    ssc.stop()
