"""The batch source: what arrived from one time until another."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from pyspark.sql.datasource import DataSourceReader, InputPartition
from pyspark.sql.types import StructType

from millstream.kinesis_client import client_of
from millstream.spark.options import Options
from millstream.spark.tasks import TimesTask
from millstream.spark.values import InvalidOption


class KinesisBatchReader(DataSourceReader):
    """All shards, open and closed: from ``startingTimestamp`` or the oldest record to ``endingTimestamp`` or now."""

    def __init__(self, options: Options, schema: Any) -> None:
        self._options = options
        # Sail gives a schema of Arrow, with times that have no zone; what is read has to have its types.
        self._arrow_schema = None if isinstance(schema, StructType) else schema
        now_ms = time.time_ns() // 1_000_000
        self._until_ms = min(now_ms, options.ending_ms if options.ending_ms is not None else now_ms)
        if options.starting_ms is not None and options.starting_ms > self._until_ms:
            raise InvalidOption("startingTimestamp is later than endingTimestamp, or lies in the future")

    def partitions(self) -> list[InputPartition]:
        """One task a shard, or for as many as ``shardsPerTask`` says."""
        options = self._options
        shards = client_of(options.client).list_shards(options.stream)
        step = options.shards_per_task
        groups = [tuple(shards[first : first + step]) for first in range(0, len(shards), step)]
        return [TimesTask(group, options.starting_ms, self._until_ms) for group in groups]

    def read(self, partition: InputPartition) -> Iterator[Any]:
        """On an executor: record batches."""
        assert isinstance(partition, TimesTask)
        batches = partition.read(self._options)
        return batches if self._arrow_schema is None else (batch.cast(self._arrow_schema) for batch in batches)
