"""Counts words in the records of a Kinesis stream, batch by batch.

Usage: millstream submit --packages org.apache.spark:spark-streaming-kinesis-asl_2.11:2.2.0 \
    examples/deck/kinesis_wordcount.py APP STREAM ENDPOINT REGION
"""
# ruff: noqa: I001 (the imports in the order of the deck)

import sys

from pyspark import SparkContext, StorageLevel
from pyspark.streaming import StreamingContext
from pyspark.streaming.kinesis import KinesisUtils, InitialPositionInStream

if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(f"Usage: {sys.argv[0]} APP STREAM ENDPOINT REGION")
    app_name, stream_name, endpoint_url, region_name = sys.argv[1:]

    sc = SparkContext(appName="KinesisWordCount")
    streaming_context = StreamingContext(sc, 1)

    kinesis_stream = KinesisUtils.createStream(
        streaming_context,
        app_name,
        stream_name,
        endpoint_url,
        region_name,
        InitialPositionInStream.TRIM_HORIZON,
        2,
        StorageLevel.MEMORY_AND_DISK_2,
    )
    counts = (
        kinesis_stream.flatMap(lambda line: line.split(" ")).map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b)
    )
    counts.pprint()

    streaming_context.start()
    streaming_context.awaitTermination()
