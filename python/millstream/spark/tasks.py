"""What a task of Spark is sent, and how an executor reads it. Nothing here is bound to a process."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pyspark.sql.datasource import InputPartition

from millstream.kinesis_client import MissingRecords, Range, client_of
from millstream.spark.options import Options
from millstream.spark.records import record_batch, unpacked

_log = logging.getLogger(__name__)


class DataLoss(Exception):
    """Records of a batch are not in the stream any more."""


@dataclass
class RangesTask(InputPartition):
    """Ranges that are to be read again."""

    ranges: tuple[Range, ...]

    def read(self, options: Options) -> Iterator[Any]:
        """Record batches.

        Raises:
            DataLoss: with ``failOnDataLoss``, after what is there.
        """
        for part in self.ranges:
            try:
                for block in part.read(options.client, options.stream):
                    yield record_batch(block)
            except MissingRecords as missing:
                message = f"{missing}. To go on without them, set failOnDataLoss=false"
                if options.fail_on_data_loss:
                    raise DataLoss(message) from None
                _log.error("%s", message)


@dataclass
class RecordsTask(InputPartition):
    """Records that are few: they are sent as they are."""

    packed: bytes

    def read(self, options: Options) -> Iterator[Any]:
        """Record batches."""
        return unpacked(self.packed)


@dataclass
class TimesTask(InputPartition):
    """What has arrived in shards from one time until another, in milliseconds since the epoch."""

    shards: tuple[str, ...]
    from_ms: int | None
    until_ms: int

    def read(self, options: Options) -> Iterator[Any]:
        """Record batches."""
        client = client_of(options.client)
        for shard in self.shards:
            for block in client.read_between(options.stream, shard, self.from_ms, self.until_ms):
                yield record_batch(block)
