"""How long records take from their put to foreachRDD: APP STREAM ENDPOINT REGION RETRIEVAL INTERVAL_S RECORDS.

The data of a record is the time of its put, in nanoseconds. Prints one line of JSON: for each record the
milliseconds until its batch's output ran (`put`), and those until its batch was cut (`waited`).
"""

import json
import sys
import threading
import time

from batch_times import run_until
from pyspark import SparkConf, SparkContext, StorageLevel
from pyspark.streaming import StreamingContext
from pyspark.streaming.kinesis import InitialPositionInStream, KinesisUtils

if __name__ == "__main__":
    retrieval, interval_s, records = sys.argv[5], float(sys.argv[6]), int(sys.argv[7])
    conf = SparkConf().setAppName("LatenciesBench").set("spark.millstream.retrieval", retrieval)
    ssc = StreamingContext(SparkContext(conf=conf), interval_s)
    lines = KinesisUtils.createStream(
        ssc, *sys.argv[1:5], InitialPositionInStream.LATEST, interval_s, StorageLevel.MEMORY_ONLY
    )
    found = {"put": [], "waited": []}
    done = threading.Event()

    def look(cut, rdd):
        puts = [int(line) / 1e6 for line in rdd.collect()]
        now_ms, cut_ms = time.time() * 1e3, cut.timestamp() * 1e3
        found["put"] += [now_ms - put for put in puts]
        found["waited"] += [cut_ms - put for put in puts]
        if len(found["put"]) >= records:
            done.set()

    lines.foreachRDD(look)
    ssc.start()
    print("reading", flush=True)
    run_until(ssc, done)
    print(json.dumps(found), flush=True)
    ssc.stop()
