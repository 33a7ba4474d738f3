"""The class that programs see."""

from __future__ import annotations

from millstream.rdd.approximate import ApproximateActions
from millstream.rdd.base import T
from millstream.unsupported import add_unsupported


class RDD(ApproximateActions[T]):
    """A lazy, partitioned collection; made by `SparkContext.parallelize` or as a batch of a stream.

    Elements are not copied between operations as they are in PySpark: a function that changes an element in place
    changes it for every other dataset that holds it.
    """


add_unsupported(
    RDD,
    """barrier cleanShuffleDependencies collectWithJobGroup getResourceProfile saveAsHadoopDataset saveAsHadoopFile
    saveAsNewAPIHadoopDataset saveAsNewAPIHadoopFile saveAsSequenceFile withResources""",
)
