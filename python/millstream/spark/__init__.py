"""Kinesis for Apache Spark 4's Structured Streaming, without a jar: source, batch source and sink (docs/spark.md).

Spark finds it by itself where this package is installed; elsewhere::

    spark.dataSource.register(millstream.spark.datasource.KinesisDataSource)
"""
