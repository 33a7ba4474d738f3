"""Spark's settings for streams that have nothing to do here, and why: programs may set them, and are told."""

from __future__ import annotations

_RANGES = "a batch is a range of each shard, which is logged before the batch runs; there is nothing else to log"
_TESTS = "it is for Spark's own tests"

#: By key; a key that ends in a dot stands for all below it.
IDLE = {
    "spark.streaming.blockInterval": "a partition is a shard, not a block of records",
    "spark.streaming.blockQueueSize": "what waits is bounded in bytes, by spark.millstream.bufferMiB",
    "spark.streaming.clock": _TESTS,
    "spark.streaming.concurrentJobs": "batches run one after the other, as states and checkpoints follow their order; "
    "the partitions of one run in parallel under local[N]",
    "spark.streaming.driver.writeAheadLog.": _RANGES,
    "spark.streaming.kinesis.retry.maxAttempts": "reads of recovery are tried again as all reads are",
    "spark.streaming.kinesis.retry.waitTime": "reads of recovery are tried again as all reads are",
    "spark.streaming.manualClock.jump": _TESTS,
    "spark.streaming.raw.maxBlockSizeBytes": "there is no rawSocketStream, nor is there one in PySpark",
    "spark.streaming.receiver.blockStoreTimeout": "what is received stays in the process that received it",
    "spark.streaming.receiver.writeAheadLog.": _RANGES,
    "spark.streaming.sessionByKey.deltaChainThreshold": "the states of mapWithState are changed in place",
    "spark.streaming.stopSparkContextByDefault": "Python's ssc.stop has its own default, also in PySpark",
    "spark.streaming.unpersist": "a batch's data go as soon as nothing needs them",
}


def why_idle(key: str) -> str | None:
    """Why a key has nothing to do, if it is one of these."""
    found = (why for name, why in IDLE.items() if key == name or (name.endswith(".") and key.startswith(name)))
    return next(found, None)
