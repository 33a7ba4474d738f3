"""The same as `pyspark_millstream` under a name of our own: `spark.readStream.format("millstream")`."""

from millstream.spark.datasource import MillstreamDataSource as DefaultSource

__all__ = ["DefaultSource"]
