"""The class that programs see."""

from __future__ import annotations

from millstream.streaming.operations import T
from millstream.streaming.pair import PairStreamOperations
from millstream.unsupported import add_unsupported


class DStream(PairStreamOperations[T]):
    """A stream; made by `StreamingContext`, by `KinesisUtils`, or from another stream."""


add_unsupported(
    DStream,
    """checkpoint countByValueAndWindow countByWindow groupByKeyAndWindow reduceByKeyAndWindow reduceByWindow
    slice updateStateByKey window""",
)
