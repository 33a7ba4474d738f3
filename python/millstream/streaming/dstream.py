"""The class that programs see."""

from __future__ import annotations

from millstream.streaming.operations import T
from millstream.streaming.window import WindowOperations
from millstream.unsupported import add_unsupported


class DStream(WindowOperations[T]):
    """A stream; made by `StreamingContext`, by `KinesisUtils`, or from another stream."""


add_unsupported(
    DStream,
    "checkpoint countByValueAndWindow countByWindow groupByKeyAndWindow slice updateStateByKey",
)
