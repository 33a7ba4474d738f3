"""Word counts of batches with ten lines: prints one line of JSON, the processing times of BATCHES of them in ms."""

import json
import sys

from batch_times import timed
from pyspark import SparkContext
from pyspark.streaming import StreamingContext

WARM = 5


def collect(rdd):
    """PySpark lets an output return an RDD or nothing."""
    rdd.collect()


if __name__ == "__main__":
    batches = int(sys.argv[1])
    ssc = StreamingContext(SparkContext(appName="SmallBatches"), 0.5)
    lines = ssc.queueStream([["to be or not to be"] * 10] * (WARM + batches + 1))
    counts = lines.flatMap(lambda line: line.split(" ")).map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b)
    counts.foreachRDD(collect)
    found = timed(ssc, WARM + batches)[WARM:]
    print(json.dumps({"ms": [seconds * 1000 for seconds in found]}), flush=True)
    ssc.stop()
