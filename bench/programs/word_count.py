"""Word count over a queue of RDDs, timed from inside; runs unchanged on PySpark and on Millstream.

    word_count.py LINES_PER_BATCH BATCHES INTERVAL_S

Prints one line of JSON: for each batch the seconds from the batch's time (its cut) to its output done, and the seconds
that its output operation took.
"""

import json
import random
import sys
import time
from pathlib import Path

from pyspark import SparkContext
from pyspark.streaming import StreamingContext


def text(lines):
    """Lines of 4 words of 7 letters, out of 5,000 words; always the same."""
    chance = random.Random(7)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=7)) for _ in range(5_000)]
    return [" ".join(chance.choices(words, k=4)) for _ in range(lines)]


def process_started():
    """When this process began, in seconds since the epoch."""
    ticks = int(Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19])
    booted = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime"))
    return int(booted.split()[1]) + ticks / 100


if __name__ == "__main__":
    lines_per_batch, batches, interval = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    sc = SparkContext(appName="WordCountBench")
    ssc = StreamingContext(sc, interval)
    lines = text(lines_per_batch)
    rdds = [sc.parallelize(lines, 2) for _ in range(batches)]
    counts = (
        ssc.queueStream(rdds)
        .flatMap(lambda line: line.split(" "))
        .map(lambda word: (word, 1))
        .reduceByKey(lambda a, b: a + b)
    )
    since_cut, in_output, first_done = [], [], []

    def measure(batch_time, rdd):
        began = time.time()
        total = sum(count for _, count in rdd.collect())
        done = time.time()
        if total:
            assert total == 4 * lines_per_batch, total
            since_cut.append(done - batch_time.timestamp())
            in_output.append(done - began)
            first_done.append(done)

    counts.foreachRDD(measure)
    ssc.start()
    while len(in_output) < batches:
        if ssc.awaitTerminationOrTimeout(0.1):
            sys.exit("the stream ended early")
    print(
        json.dumps(
            {"since_cut": since_cut, "in_output": in_output, "first_after_start": first_done[0] - process_started()}
        ),
        flush=True,
    )
    ssc.stop()
