"""A light RDD: lazy, in one process, its partitions evaluated in order."""

from millstream.rdd.hashing import portable_hash
from millstream.rdd.rdd import RDD
from millstream.rdd.resultiterable import ResultIterable

__all__ = ["RDD", "ResultIterable", "portable_hash"]
