"""Writes every record that it processes to a file: APP STREAM ENDPOINT REGION FILE [BATCH].

A batch takes BATCH seconds (0.1), and is one write, so that a process that is killed leaves whole batches.
"""

import os
import sys
import time

from pyspark import SparkContext, StorageLevel
from pyspark.streaming import StreamingContext
from pyspark.streaming.kinesis import InitialPositionInStream, KinesisUtils

if __name__ == "__main__":
    app, stream, endpoint, region, path = sys.argv[1:6]
    batch_s = float(sys.argv[6]) if len(sys.argv) > 6 else 0.1
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def write(rdd):
        now = time.time()
        batch = "".join(f"{now} {record}\n" for record in rdd.collect()).encode()
        if batch:
            assert os.write(file, batch) == len(batch)

    ssc = StreamingContext(SparkContext(appName="Ledger"), batch_s)
    KinesisUtils.createStream(
        ssc, app, stream, endpoint, region, InitialPositionInStream.TRIM_HORIZON, 2 * batch_s, StorageLevel.MEMORY_ONLY
    ).foreachRDD(write)
    ssc.start()
    ssc.awaitTermination()
