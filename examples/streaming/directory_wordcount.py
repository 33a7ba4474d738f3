"""Counts the words of the files that are moved into a directory, over the last half minute, every ten seconds.

Usage: millstream submit directory_wordcount.py DIRECTORY [WINDOW SLIDE]
"""

import sys
from operator import add

from pyspark import SparkContext
from pyspark.streaming import StreamingContext

if __name__ == "__main__":
    directory, *durations = sys.argv[1:]
    window, slide = map(int, durations or (30, 10))
    ssc = StreamingContext(SparkContext(appName="DirectoryWordCount"), 1)
    words = ssc.textFileStream(directory).flatMap(lambda line: line.split(" "))
    words.map(lambda word: (word, 1)).reduceByKeyAndWindow(add, None, window, slide).pprint()
    ssc.start()
    ssc.awaitTermination()
