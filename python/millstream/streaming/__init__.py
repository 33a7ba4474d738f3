"""Micro-batch streams, with the API of ``pyspark.streaming``."""

from millstream.streaming.context import StreamingContext
from millstream.streaming.dstream import DStream
from millstream.streaming.listener import StreamingListener

__all__ = ["DStream", "StreamingContext", "StreamingListener"]
