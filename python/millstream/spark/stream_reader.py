"""The source of Structured Streaming."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from pyspark.sql.datasource import DataSourceStreamReader, InputPartition

from millstream.spark.ahead import Ahead
from millstream.spark.offsets import Offset, tasks
from millstream.spark.options import Options
from millstream.spark.progress import Progress
from millstream.spark.records import packed
from millstream.spark.tasks import RangesTask, RecordsTask
from millstream.spark.values import InvalidOption, initial_position

try:
    from pyspark.sql.streaming import datasource as admission
except ImportError:  # before Spark 4.2
    admission = None


class KinesisStreamReader(DataSourceStreamReader):
    """Offsets are fixed on the driver, by reading ahead; executors read the ranges between two of them again, or are
    sent the records where they are few. Nothing is started before the first call: this is sent to executors."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._ahead = Ahead(options)
        self._progress = Progress(options)

    def initialOffset(self) -> dict[str, Any]:
        """Where a query begins that has no checkpoint. ``latest`` is this moment, whenever the first batch is run."""
        initial = initial_position("startingPosition", self._options.starting_position)
        if self._options.starting_ms is not None:
            initial = f"AT_TIMESTAMP {self._options.starting_ms}"
        return self._progress.begin(initial).as_dict()

    def partitions(self, start: dict[str, Any], end: dict[str, Any]) -> Sequence[InputPartition]:
        """The tasks of the batch that ends there: the same records, whenever and wherever it is asked for."""
        if start == end:
            return []
        kept = self._ahead.kept(end)
        if kept is not None:
            return [RecordsTask(packed(kept))]
        batch = Offset.of(end, self._options.stream).batch
        return [RangesTask(ranges) for ranges in tasks(batch, self._options.shards_per_task)]

    def read(self, partition: InputPartition) -> Iterator[Any]:
        """On an executor: record batches."""
        assert isinstance(partition, RangesTask | RecordsTask)
        return partition.read(self._options)

    def reportLatestOffset(self) -> dict[str, Any] | None:
        """For the progress of the query: how far each shard is read, and its `MillisBehindLatest`."""
        return self._ahead.lag()

    def commit(self, end: dict[str, Any]) -> None:
        """The batch that ends there is processed."""
        self._progress.processed(end)

    def stop(self) -> None:
        """Ends reading ahead."""
        self._ahead.stop()
        self._progress.stop()


class StreamReaderBefore42(KinesisStreamReader):
    """For Spark 4.0 and 4.1, which do not say from where the end of a batch is asked for, and have no limits."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._initial: dict[str, Any] | None = None
        self._at: dict[str, Any] | None = None
        self._is_first = True

    def initialOffset(self) -> dict[str, Any]:
        """As above; the first batch begins here. Spark 4.0 asks once more after it has asked for the batch's end."""
        if self._initial is None:
            self._initial = super().initialOffset()
        if self._at is None:
            self._at = self._initial
        return self._initial

    def latestOffset(self) -> dict[str, Any]:
        """The first batch takes all that there is now: a query with `Trigger.AvailableNow` has no other one."""
        if self._at is None:
            self._at = self.initialOffset()
        if self._is_first:
            self._ahead.stop_at(_now_ms())
        self._at = self._ahead.take(self._at, None, None)
        if self._is_first:
            self._is_first = False
            self._ahead.stop_at(None)
        return self._at

    def partitions(self, start: dict[str, Any], end: dict[str, Any]) -> Sequence[InputPartition]:
        """As above. A query that goes on asks for an empty batch first, which tells where."""
        if self._at is None:
            self._at = end
        return super().partitions(start, end)


if admission is not None:

    class StreamReader(KinesisStreamReader, admission.SupportsTriggerAvailableNow):
        """For Spark 4.2 and later: with limits, and batches until the present moment."""

        def getDefaultReadLimit(self) -> admission.ReadLimit:
            """``maxRecordsPerTrigger`` or ``maxBytesPerTrigger``."""
            if self._options.max_records is not None:
                return admission.ReadMaxRows(self._options.max_records)
            if self._options.max_bytes is not None:
                return admission.ReadMaxBytes(self._options.max_bytes)
            return admission.ReadAllAvailable()

        def prepareForTriggerAvailableNow(self) -> None:
            """Nothing is read that arrives after this moment."""
            self._ahead.stop_at(_now_ms())
            self._progress.will_end()

        def latestOffset(self, start: dict[str, Any], limit: admission.ReadLimit) -> dict[str, Any]:
            """The end of the next batch within the limit. It is asked for when the one before is processed."""
            self._progress.processed(start)
            max_records = max_bytes = None
            if isinstance(limit, admission.ReadMaxRows):
                # Spark takes one limit; a second one is kept to here.
                max_records, max_bytes = limit.max_rows, self._options.max_bytes
            elif isinstance(limit, admission.ReadMaxBytes):
                max_bytes = limit.max_bytes
            return self._ahead.take(start, max_records, max_bytes)


def stream_reader(options: Options) -> KinesisStreamReader:
    """The reader for the Spark that is installed.

    Raises:
        InvalidOption: an option that needs a later Spark.
    """
    if admission is not None:
        return StreamReader(options)
    if options.max_records is not None or options.max_bytes is not None:
        raise InvalidOption("maxRecordsPerTrigger and maxBytesPerTrigger need Spark 4.2 or later")
    return StreamReaderBefore42(options)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
