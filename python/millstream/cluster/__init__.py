"""Streams on a real Apache Spark: batches become jobs on ``pyspark.RDD``s. The driver's process owns shards, leases,
ranges, batch times and checkpoints, as it does on one machine; what executors need is in `parts` alone.
"""
