"""Writes every record that it processes to a file: APP STREAM ENDPOINT REGION FILE.

A batch is one write, so that a process that is killed leaves whole batches.
"""

import os
import sys
import time

from pyspark import SparkContext, StorageLevel
from pyspark.streaming import StreamingContext
from pyspark.streaming.kinesis import InitialPositionInStream, KinesisUtils

BATCH_S, CHECKPOINT_S = 0.1, 0.2

if __name__ == "__main__":
    app, stream, endpoint, region, path = sys.argv[1:6]
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def write(rdd):
        now = time.time()
        batch = "".join(f"{now} {record}\n" for record in rdd.collect()).encode()
        if batch:
            assert os.write(file, batch) == len(batch)

    ssc = StreamingContext(SparkContext(appName="Ledger"), BATCH_S)
    KinesisUtils.createStream(
        ssc, app, stream, endpoint, region, InitialPositionInStream.TRIM_HORIZON, CHECKPOINT_S, StorageLevel.MEMORY_ONLY
    ).foreachRDD(write)
    ssc.start()
    ssc.awaitTermination()
