"""State by key over a queue of RDDs, timed by a listener; runs unchanged on PySpark and on Millstream.

    keyed_state.py update|window|map KEYS UPDATES BATCHES INTERVAL_S SLIDES

`update`: updateStateByKey; `window`: reduceByKeyAndWindow with an inverse function, over SLIDES batches; `map`:
mapWithState, which PySpark lacks. The first batch has all KEYS, each later one UPDATES of them at random. Prints one
line of JSON: the seconds that each batch was processed.
"""

import json
import random
import sys
import tempfile
from operator import add, sub

from batch_times import timed
from pyspark import SparkContext
from pyspark.streaming import StreamingContext


def compute(rdd):
    """PySpark lets an output return an RDD or nothing."""
    rdd.count()


if __name__ == "__main__":
    operation = sys.argv[1]
    keys, updates, batches, slides = (int(sys.argv[place]) for place in (2, 3, 4, 6))
    interval = float(sys.argv[5])
    chance = random.Random(7)
    sc = SparkContext(appName="KeyedStateBench")
    ssc = StreamingContext(sc, interval)
    ssc.checkpoint(tempfile.mkdtemp())
    every = [(f"key{number}", 1) for number in range(keys)]
    rdds = [sc.parallelize(every, 2)] + [sc.parallelize(chance.sample(every, updates), 2) for _ in range(batches)]
    pairs = ssc.queueStream(rdds)
    if operation == "update":
        states = pairs.updateStateByKey(lambda values, total: sum(values) + (total or 0))
    elif operation == "map":
        from pyspark.streaming import StateSpec

        def total(key, value, state):
            state.update((state.getOption() or 0) + value)

        states = pairs.mapWithState(StateSpec.function(total))
    else:
        states = pairs.reduceByKeyAndWindow(add, sub, slides * interval, interval)
    states.foreachRDD(compute)
    print(json.dumps({"processing": timed(ssc, batches)}), flush=True)
    ssc.stop()
