"""A stream of RDDs that the program itself makes: millstream submit queue_of_rdds.py."""

from pyspark import SparkContext
from pyspark.streaming import StreamingContext

if __name__ == "__main__":
    sc = SparkContext(appName="QueueOfRDDs")
    ssc = StreamingContext(sc, 1)
    queue = [sc.parallelize(range(1, 1001), 10) for _ in range(3)]
    ssc.queueStream(queue).map(lambda n: (n % 10, 1)).reduceByKey(lambda a, b: a + b).pprint()
    ssc.start()
    ssc.awaitTermination(timeout=5)
    ssc.stop(stopSparkContext=True, stopGraceFully=True)
