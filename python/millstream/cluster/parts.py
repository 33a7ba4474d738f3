"""What the partitions of a Kinesis batch are on Spark's executors.

A partition with few bytes carries its records along. Of a larger one only the range goes to the executor, which reads
it from Kinesis.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from millstream._millstream import Block
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

    def __init__(self, blocks: Sequence[Carried]) -> None:
        self._blocks = blocks

    def blocks(self) -> Iterable[Any]:
        return self._blocks


def rows_of_part(rows: RowsOf, part: CarriedPart) -> Iterator[Any]:
    """On an executor: the rows of a partition."""
    for block in part.blocks():
        yield from rows(block)
