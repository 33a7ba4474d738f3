"""Counts the words that a server on a TCP port sends: millstream submit socket_wordcount.py HOST PORT."""

import sys

from pyspark import SparkContext
from pyspark.streaming import StreamingContext

if __name__ == "__main__":
    host, port = sys.argv[1:]
    ssc = StreamingContext(SparkContext(appName="SocketWordCount"), 1)
    lines = ssc.socketTextStream(host, int(port))
    counts = lines.flatMap(lambda line: line.split(" ")).map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b)
    counts.pprint()
    ssc.start()
    ssc.awaitTermination()
