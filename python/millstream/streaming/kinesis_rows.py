"""What becomes of the records of a batch: rows of a dataset.

A block has the methods of the native module's `Block`. On Spark's executors these functions are all of the streams'
code that runs, besides the program's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from millstream.rdd.columns import Columnar

if TYPE_CHECKING:
    from millstream._millstream import Block

#: Makes rows of the records of a block.
RowsOf = Callable[["Block"], Iterable[Any]]


class KinesisRecord(NamedTuple):
    """A record as message handlers get it."""

    data: bytes
    partition_key: str
    sequence_number: str
    #: The place inside an aggregated record, 0 elsewhere.
    sub_sequence_number: int
    shard_id: str
    #: In UTC.
    approximate_arrival_timestamp: datetime
    stream: str


def text_rows(block: Block) -> list[str]:
    """The records' data as UTF-8, decoded in bulk."""
    return block.utf8_list()


def data_rows(block: Block) -> list[bytes]:
    """The records' data."""
    return block.data_list()


def record_rows(block: Block) -> Iterable[KinesisRecord]:
    """The records with all that is known of them."""
    shard, stream = block.shard, block.stream
    columns = zip(
        block.data_list(),
        block.partition_keys(),
        block.sequence_numbers(),
        block.sub_sequence_numbers(),
        block.arrival_times(),
        strict=True,
    )
    return (
        KinesisRecord(data, key, sequence, sub, shard, datetime.fromtimestamp(arrived / 1000, UTC), stream)
        for data, key, sequence, sub, arrived in columns
    )


class KinesisBlocks(Columnar):
    """The blocks of one batch, one partition each."""

    label = "KinesisBlocks"

    def __init__(self, blocks: Sequence[Block], rows: RowsOf) -> None:
        super().__init__(len(blocks))
        self._blocks = blocks
        self._rows = rows

    def compute(self, index: int) -> Iterable[Any]:
        """The rows of the block."""
        return self._rows(self._blocks[index])

    def batch(self, index: int) -> Any:
        """All columns of the block."""
        from millstream.streaming.kinesis_columns import record_batch

        return record_batch(self._blocks[index], as_text=self._rows is text_rows)
