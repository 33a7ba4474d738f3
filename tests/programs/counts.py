"""Counts records by key, over all time and over two windows, and writes what it knows to a file at each batch:
APP STREAM ENDPOINT REGION FILE CHECKPOINT [BATCH].

A record is `key:number`. The file is replaced as a whole: a JSON object of the totals, those that `mapWithState` keeps,
those of a window that nothing leaves, those of one that everything leaves, those of the sessions that have ended, and
the batch time. While there is a file FILE.fail, batches with records fail; while there is FILE.hold, records wait to be
counted, and the process in which they do has left its number in FILE.held. A batch takes BATCH seconds (0.1).
"""

import json
import os
import sys
import time
from operator import add, sub

from pyspark import SparkContext, StorageLevel
from pyspark.streaming import StateSpec, StreamingContext
from pyspark.streaming.kinesis import InitialPositionInStream, KinesisUtils

app, stream, endpoint, region, path, checkpoint = sys.argv[1:7]
BATCH_S = float(sys.argv[7]) if len(sys.argv) > 7 else 0.1
LONG_S, SHORT_S, IDLE_S = 3600, 10 * BATCH_S, 5 * BATCH_S


def setup():
    ssc = StreamingContext(SparkContext(appName="Counts"), BATCH_S)
    records = KinesisUtils.createStream(
        ssc, app, stream, endpoint, region, InitialPositionInStream.TRIM_HORIZON, 2 * BATCH_S, StorageLevel.MEMORY_ONLY
    )
    ones = records.map(one)
    totals = ones.updateStateByKey(lambda values, state: (state or 0) + sum(values))
    window = ones.reduceByKeyAndWindow(add, sub, LONG_S)
    short = ones.reduceByKeyAndWindow(add, sub, SHORT_S, filterFunc=lambda pair: pair[1] > 0)
    mapped = ones.mapWithState(StateSpec.function(count)).stateSnapshots()
    sessions = ones.mapWithState(StateSpec.function(count).timeout(IDLE_S)).filter(lambda session: session is not None)
    ended = sessions.updateStateByKey(lambda lengths, state: (state or 0) + sum(lengths))
    known = {}
    totals.foreachRDD(lambda rdd: known.update(totals=dict(rdd.collect())))
    mapped.foreachRDD(lambda rdd: known.update(mapped=dict(rdd.collect())))
    ended.foreachRDD(lambda rdd: known.update(ended=dict(rdd.collect())))
    window.foreachRDD(lambda rdd: known.update(window=dict(rdd.collect())))
    short.foreachRDD(lambda rdd: known.update(short=dict(rdd.collect())))
    short.foreachRDD(lambda time, rdd: write({**known, "time": str(time)}))
    return ssc


def one(record):
    while os.path.exists(f"{path}.hold"):
        with open(f"{path}.held", "w") as file:
            file.write(str(os.getpid()))
        time.sleep(0.05)
    return record.split(":")[0], 1


def count(key, one, state):
    """The records of the key so far; a session that ends by its timeout is an element."""
    if state.isTimingOut():
        return key, state.get()
    state.update((state.getOption() or 0) + one)


def write(known):
    if os.path.exists(f"{path}.fail"):
        with open(path) as file:
            if known["totals"] != json.load(file)["totals"]:
                raise RuntimeError("this batch fails")
    with open(f"{path}.new", "w") as file:
        json.dump(known, file)
    os.replace(f"{path}.new", path)


if __name__ == "__main__":
    ssc = StreamingContext.getOrCreate(checkpoint, setup)
    ssc.start()
    while True:
        try:
            ssc.awaitTermination()
            break
        except RuntimeError as error:
            print(error, flush=True)
