"""The columns of Kinesis records as Arrow arrays, made of buffers and not of Python objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from millstream._millstream import Block, Buffer


def columns(block: Block) -> dict[str, Any]:
    """All columns of a block: data as binary, texts as string, times in microseconds of UTC."""
    import pyarrow as arrow

    count = len(block)

    def array(kind: Any, *buffers: bytes | Buffer) -> Any:
        return arrow.Array.from_buffers(kind, count, [None, *(arrow.py_buffer(buffer) for buffer in buffers)])

    return {
        "data": array(arrow.binary(), *block.data_buffers()),
        "partition_key": array(arrow.string(), *block.partition_key_buffers()),
        "sequence_number": array(arrow.string(), *block.sequence_number_buffers()),
        "sub_sequence_number": array(arrow.int64(), block.sub_sequence_number_buffer()),
        "shard_id": arrow.repeat(block.shard, count),
        "approximate_arrival_timestamp": array(arrow.timestamp("us", tz="UTC"), block.arrival_buffer()),
        "stream": arrow.repeat(block.stream, count),
    }
