"""What the partitions of a Kinesis batch are on Spark's executors.

A partition with few bytes carries its records along. Of a larger one only the range goes to the executor, which reads
it from Kinesis.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from millstream.errors import PySparkRuntimeError

if TYPE_CHECKING:
    from millstream._millstream import Block
    from millstream.cluster.connection import Connection
    from millstream.streaming.kinesis_rows import RowsOf


class Carried:
    """The records of a block as plain data, with the methods of a block; without ``all_columns``, their data alone."""

    def __init__(self, block: Block, all_columns: bool) -> None:
        self.stream = block.stream
        self.shard = block.shard
        self._data = block.data_list()
        self._keys = block.partition_keys() if all_columns else []
        self._sequences = block.sequence_numbers() if all_columns else []
        self._subs = block.sub_sequence_numbers() if all_columns else []
        self._arrivals = block.arrival_times() if all_columns else []

    def __len__(self) -> int:
        return len(self._data)

    def data_list(self) -> list[bytes]:
        return self._data

    def utf8_list(self) -> list[str]:
        return [data.decode("utf-8") for data in self._data]

    def partition_keys(self) -> list[str]:
        return self._keys

    def sequence_numbers(self) -> list[str]:
        return self._sequences

    def sub_sequence_numbers(self) -> list[int]:
        return self._subs

    def arrival_times(self) -> list[int]:
        return self._arrivals


class CarriedPart:
    """A partition with its records."""

    def __init__(self, blocks: Sequence[Block], all_columns: bool) -> None:
        self.carried = [Carried(block, all_columns) for block in blocks]

    def blocks(self, connection: Connection) -> Iterable[Any]:
        """They are here."""
        return self.carried


class RangePart(NamedTuple):
    """A partition that an executor reads: the records of a shard from ``first`` to ``to``, both included."""

    stream: str
    shard: str
    first: str
    to: str
    records: int

    @classmethod
    def of(cls, blocks: Sequence[Block]) -> RangePart:
        """That of neighbouring blocks of a shard, none of them empty."""
        first, to = blocks[0].first, blocks[-1].last
        assert first is not None and to is not None
        return cls(blocks[0].stream, blocks[0].shard, first, to, sum(map(len, blocks)))

    def blocks(self, connection: Connection) -> Iterator[Any]:
        """Reads them, and raises `PySparkRuntimeError` where records have left the stream."""
        read = connection.client().read_again(*self)
        yield from read
        if read.missing:
            lost = f"{read.missing} records are not in the stream any more, of {self}"
            if connection.fails_on_loss:
                raise PySparkRuntimeError(
                    f"{lost}: their retention has passed, or the stream was made anew. To go on without them, set "
                    "spark.millstream.failOnDataLoss=false"
                )
            print(f"millstream: {lost}: the batch runs without them", file=sys.stderr)

    def __str__(self) -> str:
        return f"{self.stream}/{self.shard} [{self.first}, {self.to}] {self.records} records"


def rows_of_part(rows: RowsOf, connection: Connection, part: CarriedPart | RangePart) -> Iterator[Any]:
    """On an executor: the rows of a partition."""
    for block in part.blocks(connection):
        yield from rows(block)
