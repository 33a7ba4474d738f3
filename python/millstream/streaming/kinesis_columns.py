"""Blocks of Kinesis records as Arrow record batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from millstream._millstream import Block


def record_batch(block: Block, as_text: bool) -> Any:
    """All columns of a block; ``data`` is a string if it is read as text, else binary."""
    import pyarrow as arrow

    count = len(block)
    data = arrow.array(block.utf8_list()) if as_text else arrow.array(block.data_list(), arrow.binary())
    times = arrow.array(block.arrival_times(), arrow.timestamp("ms", tz="UTC"))
    columns = {
        "data": data,
        "partition_key": arrow.array(block.partition_keys(), arrow.string()),
        "sequence_number": arrow.array(block.sequence_numbers(), arrow.string()),
        "sub_sequence_number": arrow.array(block.sub_sequence_numbers(), arrow.int64()),
        "shard_id": arrow.repeat(block.shard, count),
        "approximate_arrival_timestamp": times,
        "stream": arrow.repeat(block.stream, count),
    }
    return arrow.RecordBatch.from_pydict(columns)
