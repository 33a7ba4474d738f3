"""The class that programs see."""

from __future__ import annotations

from millstream.rdd.base import T
from millstream.rdd.pair import PairOperations
from millstream.unsupported import add_unsupported


class RDD(PairOperations[T]):
    """A lazy, partitioned collection; made by `SparkContext.parallelize` or as a batch of a stream.

    Elements are not copied between operations as they are in PySpark: a function that changes an element in place
    changes it for every other dataset that holds it.
    """


add_unsupported(
    RDD,
    """aggregateByKey barrier cartesian checkpoint cleanShuffleDependencies collectWithJobGroup countApprox
    countApproxDistinct foldByKey getCheckpointFile getResourceProfile groupWith histogram intersection
    isCheckpointed isLocallyCheckpointed localCheckpoint mapPartitionsWithSplit meanApprox pipe randomSplit
    reduceByKeyLocally repartitionAndSortWithinPartitions sample sampleByKey sampleStdev sampleVariance
    saveAsHadoopDataset saveAsHadoopFile saveAsNewAPIHadoopDataset saveAsNewAPIHadoopFile saveAsPickleFile
    saveAsSequenceFile stats stdev subtract subtractByKey sumApprox takeSample toDF treeAggregate treeReduce
    variance withResources zip zipWithUniqueId""",
)
