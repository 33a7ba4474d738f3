"""The sink, for streams and batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql.datasource import DataSourceStreamWriter, DataSourceWriter, WriterCommitMessage
from pyspark.sql.types import BinaryType, StringType, StructType

from millstream.kinesis_client import client_of
from millstream.spark.options import Options
from millstream.spark.values import InvalidOption

#: Rows that are handed to Rust at once.
_ROWS = 1_000


@dataclass
class Written(WriterCommitMessage):
    """What a task has put."""

    records: int


class _Writer:
    """Puts each row with `data` and `partitionKey`, and with `explicitHashKey` where there is such a column.

    A task returns after all its records are stored. One that fails is run again, and so is a batch whose commit is not
    logged: their records are there twice (at least once).
    """

    def __init__(self, options: Options, schema: StructType) -> None:
        self._options = options
        types = {field.name: field.dataType for field in schema.fields}
        data, key = types.get("data"), types.get("partitionKey")
        if not isinstance(data, BinaryType | StringType) or not isinstance(key, StringType):
            raise InvalidOption(
                "the sink needs a column `data` (binary or string) and a column `partitionKey` (string), and there are "
                f"{schema.simpleString()}"
            )
        self._has_hash_key = "explicitHashKey" in types

    def write(self, iterator: Iterator[Any]) -> Written:
        """On an executor."""
        from millstream._millstream import KinesisWriter

        options = self._options
        client = client_of(options.client)
        writer = KinesisWriter(client, options.stream, options.is_aggregating, options.sink_buffer_bytes)
        records = 0
        data: list[bytes] = []
        keys: list[str] = []
        hash_keys: list[str | None] = []

        def put() -> None:
            nonlocal records
            records += len(data)
            writer.put(data, keys, hash_keys)
            for column in (data, keys, hash_keys):
                column.clear()

        for row in iterator:
            value, key = row["data"], row["partitionKey"]
            if value is None or not key:
                raise ValueError(f"a row without data or partition key can't be put: {row}")
            data.append(value.encode() if isinstance(value, str) else bytes(value))
            keys.append(key)
            hash_keys.append(row["explicitHashKey"] if self._has_hash_key else None)
            if len(data) >= _ROWS:
                put()
        put()
        writer.flush()
        return Written(records)


class KinesisStreamWriter(_Writer, DataSourceStreamWriter):
    """The sink of Structured Streaming."""

    def commit(self, messages: Sequence[WriterCommitMessage | None], batchId: int) -> None:
        """Nothing is left to be done: what a task has put is stored."""

    def abort(self, messages: Sequence[WriterCommitMessage | None], batchId: int) -> None:
        """What was put stays: Kinesis takes nothing back."""


class KinesisBatchWriter(_Writer, DataSourceWriter):
    """The sink of batches."""

    def commit(self, messages: Sequence[WriterCommitMessage | None]) -> None:
        """Nothing is left to be done: what a task has put is stored."""

    def abort(self, messages: Sequence[WriterCommitMessage | None]) -> None:
        """What was put stays: Kinesis takes nothing back."""
