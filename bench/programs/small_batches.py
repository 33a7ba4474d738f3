"""Word counts of batches with ten lines: prints one line of JSON, the processing times of BATCHES of them in ms."""

import json
import sys
import threading

from pyspark import SparkContext
from pyspark.streaming import StreamingContext, StreamingListener

WARM = 5


class Times(StreamingListener):
    """The processing time of each batch."""

    def __init__(self, batches):
        super().__init__()
        self.batches, self.found, self.done = batches, [], threading.Event()

    def onBatchCompleted(self, batchCompleted):
        self.found.append(batchCompleted.batchInfo().processingDelay())
        if len(self.found) == WARM + self.batches:
            self.done.set()


if __name__ == "__main__":
    batches = int(sys.argv[1])
    ssc = StreamingContext(SparkContext(appName="SmallBatches"), 0.5)
    lines = ssc.queueStream([["to be or not to be"] * 10] * (WARM + batches))
    counts = lines.flatMap(lambda line: line.split(" ")).map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b)
    counts.foreachRDD(lambda rdd: rdd.collect())
    times = Times(batches)
    ssc.addStreamingListener(times)
    ssc.start()
    while not times.done.wait(0.1):
        if ssc.awaitTerminationOrTimeout(0.1):
            sys.exit("the stream ended early")
    print(json.dumps({"ms": times.found[WARM : WARM + batches]}), flush=True)
    ssc.stop()
