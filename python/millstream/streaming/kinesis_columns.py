"""Blocks of Kinesis records as Arrow record batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from millstream.kinesis_arrow import columns

if TYPE_CHECKING:
    from millstream._millstream import Block


def record_batch(block: Block, as_text: bool) -> Any:
    """All columns of a block; ``data`` is a string if it is read as text, else binary."""
    import pyarrow as arrow

    made = columns(block)
    if as_text:
        made["data"] = arrow.array(block.utf8_list())
    name = "approximate_arrival_timestamp"
    made[name] = made[name].cast(arrow.timestamp("ms", tz="UTC"))
    return arrow.RecordBatch.from_pydict(made)
