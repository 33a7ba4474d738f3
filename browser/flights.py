"""The program of the documentation's pictures: counts flights by airport. A flight to nowhere makes its batch fail."""

import sys

from pyspark import SparkContext
from pyspark.streaming import StreamingContext
from pyspark.streaming.kinesis import InitialPositionInStream, KinesisUtils


def land(rdd):
    airports = dict(rdd.collect())
    if "" in airports:
        raise ValueError(f"{airports['']} flight has no destination")


if __name__ == "__main__":
    ssc = StreamingContext(SparkContext(appName="Flights by airport"), 0.5)
    flights = KinesisUtils.createStream(
        ssc, "flights-by-airport", "flights", sys.argv[1], "us-east-1", InitialPositionInStream.TRIM_HORIZON, 1
    )
    flights.map(lambda line: (line[:3].strip(), 1)).reduceByKey(lambda a, b: a + b).foreachRDD(land)
    ssc.start()
    while not ssc.awaitTerminationOrTimeout(0):
        try:
            ssc.awaitTermination()
        except ValueError as error:
            print(error, file=sys.stderr)
