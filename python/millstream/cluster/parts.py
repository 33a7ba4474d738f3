"""What the partitions of a Kinesis batch are on Spark's executors.

A partition with few bytes carries its records along. Of a larger one only the range goes to the executor, which reads
it from Kinesis.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from millstream.kinesis_client import ClientSettings, MissingRecords, Range

if TYPE_CHECKING:
    from millstream._millstream import Block
    from millstream.streaming.kinesis_input import KinesisSettings
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

    def blocks(self, reading: Reading) -> Iterable[Any]:
        """They are here."""
        return self.carried


class RangePart(NamedTuple):
    """A partition that an executor reads."""

    stream: str
    range: Range

    @classmethod
    def of(cls, blocks: Sequence[Block]) -> RangePart:
        """That of neighbouring blocks of a shard, none of them empty."""
        first, to = blocks[0].first, blocks[-1].last
        assert first is not None and to is not None
        return cls(blocks[0].stream, Range(blocks[0].shard, first, to, sum(map(len, blocks))))

    def blocks(self, reading: Reading) -> Iterator[Any]:
        """Reads them, and raises `MissingRecords` where some have left the stream."""
        try:
            yield from self.range.read(reading.settings, self.stream)
        except MissingRecords as missing:
            if reading.fails_on_loss:
                missing.add_note("To go on without them, set spark.millstream.failOnDataLoss=false")
                raise
            print(f"millstream: the batch runs without some records: {missing}", file=sys.stderr)


class Reading(NamedTuple):
    """How executors read ranges. It goes to them with the functions of a batch, which Spark keeps in memory, and not
    with the partitions, which it writes to files."""

    settings: ClientSettings
    #: Whether records that have left the stream are an error.
    fails_on_loss: bool

    @classmethod
    def of(cls, stream: KinesisSettings) -> Reading:
        """That of a stream. Without keys, executors ask AWS's default chain where they are."""
        from millstream.streaming.settings import fails_on_loss, max_records, read_interval_ms

        conf: Any = stream.conf
        settings = ClientSettings(
            region=stream.region,
            endpoint=stream.endpoint,
            access_key=stream.access_key,
            secret=stream.secret,
            role_arn=stream.role_arn,
            session_name=stream.session_name,
            external_id=stream.external_id,
            read_interval_ms=read_interval_ms(conf),
            max_records=max_records(conf),
        )
        return cls(settings, fails_on_loss(conf))


def rows_of_part(rows: RowsOf, reading: Reading, part: CarriedPart | RangePart) -> Iterator[Any]:
    """On an executor: the rows of a partition."""
    for block in part.blocks(reading):
        yield from rows(block)
