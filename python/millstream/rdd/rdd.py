"""The class that programs see."""

from __future__ import annotations

from millstream.rdd.base import T
from millstream.rdd.sampling import Sampling
from millstream.unsupported import add_unsupported


class RDD(Sampling[T]):
    """A lazy, partitioned collection; made by `SparkContext.parallelize` or as a batch of a stream.

    Elements are not copied between operations as they are in PySpark: a function that changes an element in place
    changes it for every other dataset that holds it.
    """


add_unsupported(
    RDD,
    """barrier checkpoint cleanShuffleDependencies collectWithJobGroup countApprox countApproxDistinct
    getCheckpointFile getResourceProfile histogram isCheckpointed isLocallyCheckpointed localCheckpoint
    mapPartitionsWithSplit meanApprox pipe sampleByKey saveAsHadoopDataset saveAsHadoopFile
    saveAsNewAPIHadoopDataset saveAsNewAPIHadoopFile saveAsPickleFile saveAsSequenceFile sumApprox toDF
    withResources""",
)
