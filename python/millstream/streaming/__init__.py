"""Micro-batch streams, with the API of ``pyspark.streaming``."""

from millstream.streaming.context import StreamingContext
from millstream.streaming.dstream import DStream

__all__ = ["DStream", "StreamingContext"]
