"""Kinesis records with all that is known of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from millstream.streaming.kinesis import KinesisBlocks


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


class KinesisRecords(KinesisBlocks):
    """The records of the blocks of one batch, one partition a block."""

    label = "KinesisRecords"

    def compute(self, index: int) -> Iterable[KinesisRecord]:
        """Records with all that is known of them."""
        block = self._blocks[index]
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
