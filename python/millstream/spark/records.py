"""Blocks of records as rows of Spark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from millstream.kinesis_arrow import columns

if TYPE_CHECKING:
    from millstream._millstream import Block

#: The columns of source and batch source, in Spark's words.
SCHEMA = (
    "data binary, partitionKey string, streamName string, shardId string, sequenceNumber string, "
    "subSequenceNumber bigint, approximateArrivalTimestamp timestamp"
)
_COLUMNS = {
    "data": "data",
    "partitionKey": "partition_key",
    "streamName": "stream",
    "shardId": "shard_id",
    "sequenceNumber": "sequence_number",
    "subSequenceNumber": "sub_sequence_number",
    "approximateArrivalTimestamp": "approximate_arrival_timestamp",
}


def record_batch(block: Block) -> Any:
    """A block as an Arrow record batch of `SCHEMA`."""
    import pyarrow as arrow

    made = columns(block)
    return arrow.RecordBatch.from_pydict({name: made[column] for name, column in _COLUMNS.items()})


def packed(blocks: Iterable[Block]) -> bytes:
    """Blocks as a stream of Arrow IPC, for a task that is sent what it is to read."""
    import pyarrow as arrow

    sink = arrow.BufferOutputStream()
    writer = None
    for batch in map(record_batch, blocks):
        writer = writer or arrow.ipc.new_stream(sink, batch.schema)
        writer.write_batch(batch)
    if writer is not None:
        writer.close()
    made: bytes = sink.getvalue().to_pybytes()
    return made


def unpacked(data: bytes) -> Iterator[Any]:
    """The record batches of `packed`."""
    import pyarrow as arrow

    with arrow.ipc.open_stream(data) as reader:
        yield from reader
