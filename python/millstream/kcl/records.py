"""Records as objects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from millstream._millstream import Block

__all__ = ["Record"]


@dataclass(frozen=True, slots=True)
class Record:
    """One user record; the user records of an aggregated (KPL) record differ in ``sub_sequence_number``."""

    data: bytes
    partition_key: str
    sequence_number: str
    sub_sequence_number: int
    approximate_arrival_timestamp: datetime

    @property
    def binary_data(self) -> bytes:
        """The data, under the name that ``amazon_kclpy`` has for it."""
        return self.data


def records_of(block: Block) -> Iterator[Record]:
    """The records of a block, in order."""
    numbers = zip(block.sequence_numbers(), block.sub_sequence_numbers(), block.arrival_times(), strict=True)
    for data, key, (sequence, sub, millis) in zip(block.data_list(), block.partition_keys(), numbers, strict=True):
        yield Record(data, key, sequence, sub, datetime.fromtimestamp(millis / 1_000, UTC))
