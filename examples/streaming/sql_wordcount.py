"""Counts the words of each batch of lines from a socket with SQL: `sql_wordcount.py HOST PORT`.

    millstream submit examples/streaming/sql_wordcount.py localhost 9999      # with `nc -lk 9999` in another terminal

The extra `sql` (sqlframe over DuckDB) is needed.
"""

import sys

from pyspark import SparkContext
from pyspark.sql import Row, SparkSession
from pyspark.streaming import StreamingContext


def session(conf):
    """The one session of the program."""
    return SparkSession.builder.config(conf=conf).getOrCreate()


def count(time, rdd):
    print(f"========= {time} =========", flush=True)
    if rdd.isEmpty():
        return
    spark = session(rdd.context.getConf())
    words = spark.createDataFrame(rdd.map(lambda word: Row(word=word)))
    words.createOrReplaceTempView("words")
    spark.sql("SELECT word, count(*) AS total FROM words GROUP BY word ORDER BY total DESC, word").show()


if __name__ == "__main__":
    host, port = sys.argv[1], int(sys.argv[2])
    ssc = StreamingContext(SparkContext(appName="SqlWordCount"), 1)
    ssc.socketTextStream(host, port).flatMap(lambda line: line.split(" ")).foreachRDD(count)
    ssc.start()
    ssc.awaitTermination()
