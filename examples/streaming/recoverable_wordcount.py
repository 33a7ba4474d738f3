"""Counts the words that a server on a TCP port has sent, over all runs of the program, and leaves out some.

Usage: millstream submit recoverable_wordcount.py HOST PORT DIRECTORY FILE. DIRECTORY is where the counts are kept from
run to run, FILE is where each batch adds a line. Broadcast variables and accumulators are not kept: each run makes its
own when the first batch needs them.
"""

import sys

from pyspark import SparkContext
from pyspark.streaming import StreamingContext

LEFT_OUT = ["the", "a"]
shared = {}


def shared_variables(sc):
    if not shared:
        shared["left_out"] = sc.broadcast(LEFT_OUT)
        shared["count"] = sc.accumulator(0)
    return shared["left_out"], shared["count"]


def write_line(file, time, rdd):
    left_out, count = shared_variables(rdd.context)

    def is_counted(pair):
        if pair[0] in left_out.value:
            count.add(pair[1])
            return False
        return True

    totals = sorted(rdd.filter(is_counted).collect())
    if totals:
        with open(file, "a") as lines:
            lines.write(f"{time:%H:%M:%S} {totals}\n")
        print(f"{len(totals)} words counted, {count.value} left out", flush=True)


def new_context(host, port, file):
    print("A context is made", flush=True)
    ssc = StreamingContext(SparkContext(appName="RecoverableWordCount"), 1)
    words = ssc.socketTextStream(host, port).flatMap(lambda line: line.split(" ")).map(lambda word: (word, 1))
    totals = words.updateStateByKey(lambda counts, total: sum(counts, total or 0))
    totals.foreachRDD(lambda time, rdd: write_line(file, time, rdd))
    return ssc


if __name__ == "__main__":
    host, port, directory, file = sys.argv[1:]
    ssc = StreamingContext.getOrCreate(directory, lambda: new_context(host, int(port), file))
    ssc.start()
    ssc.awaitTermination()
