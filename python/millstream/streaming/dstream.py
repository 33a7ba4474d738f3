"""The class that programs see."""

from __future__ import annotations

from millstream.streaming.operations import T
from millstream.streaming.stateful import StatefulOperations


class DStream(StatefulOperations[T]):
    """A stream; made by `StreamingContext`, by `KinesisUtils`, or from another stream."""
