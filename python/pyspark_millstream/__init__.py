"""What Spark looks for when it lists data sources: `spark.readStream.format("kinesis")`."""

from millstream.spark.datasource import KinesisDataSource as DefaultSource

__all__ = ["DefaultSource"]
