"""Joins the words that a server on a TCP port sends with a list of how happy each is, and prints the happiest.

Usage: millstream submit happiest_words.py HOST PORT FILE, where FILE has a word and a number on each line.
"""

import sys

from pyspark import SparkContext
from pyspark.streaming import StreamingContext


def word_and_happiness(line):
    word, happiness = line.split()
    return word, int(happiness)


def print_happiest(rdd):
    print(f"The happiest of {rdd.count()} words:")
    for happiness, word in rdd.take(3):
        print(f"{word} ({happiness})")


if __name__ == "__main__":
    host, port, file = sys.argv[1:]
    sc = SparkContext(appName="HappiestWords")
    ssc = StreamingContext(sc, 1)
    known = sc.textFile(file).map(word_and_happiness).cache()
    words = ssc.socketTextStream(host, int(port)).flatMap(lambda line: line.split(" "))
    counts = words.map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b)
    happy = counts.transform(lambda rdd: known.join(rdd)).map(lambda pair: (pair[1][0] * pair[1][1], pair[0]))
    happy.transform(lambda rdd: rdd.sortByKey(ascending=False)).foreachRDD(print_happiest)
    ssc.start()
    ssc.awaitTermination()
