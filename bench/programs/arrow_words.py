"""The word count of word_count.py by functions on whole Arrow batches: LINES_PER_BATCH BATCHES INTERVAL_S.

Prints one line of JSON: the seconds that each batch's output took.
"""

import json
import sys
import time
from operator import add

import pyarrow as pa
import pyarrow.compute as pc
from pyspark import SparkContext
from pyspark.streaming import StreamingContext
from word_count import text


def count_words(batch):
    """The words of a batch of lines, with how often they come."""
    words = pc.list_flatten(pc.split_pattern(batch.column(0), " "))
    counts = pc.value_counts(words)
    return pa.RecordBatch.from_arrays([counts.field("values"), counts.field("counts")], ["word", "count"])


if __name__ == "__main__":
    lines_per_batch, batches, interval = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    sc = SparkContext(appName="ArrowWordsBench")
    ssc = StreamingContext(sc, interval)
    lines = text(lines_per_batch)
    counts = (
        ssc.queueStream([sc.parallelize(lines, 2) for _ in range(batches)])
        .transform(lambda rdd: rdd.map_batches(count_words))
        .reduceByKey(add)
    )
    in_output = []

    def measure(rdd):
        began = time.time()
        total = sum(count for _, count in rdd.collect())
        if total:
            assert total == 4 * lines_per_batch, total
            in_output.append(time.time() - began)

    counts.foreachRDD(measure)
    ssc.start()
    while len(in_output) < batches:
        if ssc.awaitTerminationOrTimeout(0.1):
            sys.exit("the stream ended early")
    print(json.dumps({"in_output": in_output}), flush=True)
    ssc.stop()
