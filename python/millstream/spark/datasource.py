"""The data source as Spark finds it."""

from __future__ import annotations

try:
    from pyspark.sql.datasource import (
        DataSource,
        DataSourceReader,
        DataSourceStreamReader,
        DataSourceStreamWriter,
        DataSourceWriter,
    )
except ImportError as missing:
    raise ImportError(
        "millstream.spark needs Apache Spark 4.0 or later, whose data sources can be written in Python: "
        "pip install 'millstream[spark]'"
    ) from missing
from pyspark.sql.types import StructType

from millstream.spark.options import Options
from millstream.spark.records import SCHEMA
from millstream.spark.values import InvalidOption


class KinesisDataSource(DataSource):
    """``spark.readStream.format("kinesis")``, ``spark.read``, ``writeStream`` and ``write``."""

    @classmethod
    def name(cls) -> str:
        """The format."""
        return "kinesis"

    def schema(self) -> str:
        """The columns of a record."""
        return SCHEMA

    def streamReader(self, schema: StructType) -> DataSourceStreamReader:
        """The source of Structured Streaming."""
        from millstream.spark.stream_reader import stream_reader

        return stream_reader(self._checked(schema))

    def reader(self, schema: StructType) -> DataSourceReader:
        """The batch source."""
        from millstream.spark.batch_reader import KinesisBatchReader

        return KinesisBatchReader(self._checked(schema), schema)

    def streamWriter(self, schema: StructType, overwrite: bool) -> DataSourceStreamWriter:
        """The sink of Structured Streaming."""
        from millstream.spark.writer import KinesisStreamWriter

        return KinesisStreamWriter(Options.of(self.options), schema)

    def writer(self, schema: StructType, overwrite: bool) -> DataSourceWriter:
        """The sink of batches."""
        from millstream.spark.writer import KinesisBatchWriter

        if overwrite:
            raise InvalidOption("a stream can't be overwritten: use mode append")
        return KinesisBatchWriter(Options.of(self.options), schema)

    def _checked(self, schema: StructType) -> Options:
        # By names: Sail gives a schema of Arrow. Spark itself compares types.
        if list(schema.names) != [column.split(" ")[0] for column in SCHEMA.split(", ")]:
            raise InvalidOption(f"the schema of a Kinesis source is its own, and can't be set: {SCHEMA}")
        return Options.of(self.options)


class MillstreamDataSource(KinesisDataSource):
    """The same under a name that no other connector has."""

    @classmethod
    def name(cls) -> str:
        """The format."""
        return "millstream"
