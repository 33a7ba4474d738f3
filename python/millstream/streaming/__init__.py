"""Micro-batch streams, with the API of ``pyspark.streaming``."""

from millstream.streaming.context import StreamingContext
from millstream.streaming.dstream import DStream
from millstream.streaming.listener import StreamingListener
from millstream.streaming.receiver import Receiver
from millstream.streaming.state import State
from millstream.streaming.state_spec import StateSpec

__all__ = ["DStream", "Receiver", "State", "StateSpec", "StreamingContext", "StreamingListener"]
