"""Counts the words that a server on a TCP port has sent since the program began.

Usage: millstream submit stateful_wordcount.py HOST PORT. The counts begin at one for two words that are known before.
"""

import sys
import tempfile

from pyspark import SparkContext
from pyspark.streaming import StreamingContext


def add_up(new_counts, total):
    return sum(new_counts, total or 0)


if __name__ == "__main__":
    host, port = sys.argv[1:]
    sc = SparkContext(appName="StatefulWordCount")
    ssc = StreamingContext(sc, 1)
    ssc.checkpoint(tempfile.mkdtemp())
    known_before = sc.parallelize([("to", 1), ("be", 1)])
    words = ssc.socketTextStream(host, int(port)).flatMap(lambda line: line.split(" "))
    totals = words.map(lambda word: (word, 1)).updateStateByKey(add_up, initialRDD=known_before)
    totals.pprint()
    ssc.start()
    ssc.awaitTermination()
