"""Micro-batch streams, with the API of ``pyspark.streaming``.

Names are loaded when they are first asked for: Spark's executors need none of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from millstream import _lazy

if TYPE_CHECKING:
    from millstream.streaming.context import StreamingContext
    from millstream.streaming.dstream import DStream
    from millstream.streaming.listener import StreamingListener
    from millstream.streaming.receiver import Receiver
    from millstream.streaming.state import State
    from millstream.streaming.state_spec import StateSpec

__all__ = ["DStream", "Receiver", "State", "StateSpec", "StreamingContext", "StreamingListener"]

__getattr__ = _lazy(
    __name__,
    {
        "DStream": "millstream.streaming.dstream",
        "Receiver": "millstream.streaming.receiver",
        "State": "millstream.streaming.state",
        "StateSpec": "millstream.streaming.state_spec",
        "StreamingContext": "millstream.streaming.context",
        "StreamingListener": "millstream.streaming.listener",
    },
)
