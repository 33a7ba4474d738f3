"""The seam between streams and what computes their batches: all that a stream needs of a context, beyond the methods
that its RDDs have under PySpark's names.

There are two: this package's own RDDs, here, and those of a real PySpark, in `millstream.cluster`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard

from millstream.rdd import RDD
from millstream.rdd.files import Files
from millstream.rdd.partitions import Node, Rows
from millstream.storagelevel import StorageLevel

if TYPE_CHECKING:
    from millstream._millstream import Block
    from millstream.context import SparkContext
    from millstream.streaming.kinesis_input import KinesisSettings


class Datasets(Protocol):
    """An ``RDD`` here is one of the context's own kind."""

    def check(self) -> None:
        """Raises what keeps batches from being computed, before the streams start."""

    def cancel(self) -> None:
        """Ends the jobs that run, if the context has not been stopped."""

    def owns(self, value: Any) -> TypeGuard[RDD[Any]]:
        """Whether a value is an RDD."""

    def of_node(self, node: Node) -> RDD[Any]:
        """The RDD of rows that are computed in this process, such as a state's."""

    def node(self, rdd: RDD[Any]) -> Node:
        """The rows of an RDD, for this process."""

    def of_blocks(
        self, blocks: Sequence[Block], rows: Callable[[Block], Iterable[Any]], settings: KinesisSettings
    ) -> RDD[Any]:
        """The RDD of what ``rows`` makes of each of a batch's blocks, in their order. ``settings``: where they are
        from."""

    def of_files(self, paths: Sequence[str], read: Callable[[str], Iterable[Any]]) -> RDD[Any]:
        """The RDD of what ``read`` makes of each file, one partition a file."""

    def union(self, rdds: Sequence[RDD[Any]]) -> RDD[Any]:
        """The partitions of all, one after the other; an RDD without partitions of none."""

    def reduced(self, rdd: RDD[Any], function: Callable[[Any, Any], Any]) -> RDD[Any]:
        """The RDD of the one element that ``function`` makes of all; of none if there are none."""

    def keep(self, time_ms: int, rdd: RDD[Any], level: StorageLevel) -> None:
        """Persists the RDD of a batch until nothing needs it any more."""

    def saved(self, rdd: RDD[Any], rows: list[list[Any]]) -> RDD[Any]:
        """What to go on with instead of an RDD whose ``rows``, by partition, have been written down."""


class OwnDatasets:
    """This package's RDDs, which know their nodes, and whose kept partitions go when nothing refers to them."""

    def __init__(self, sc: SparkContext) -> None:
        self._sc = sc

    def check(self) -> None:
        """There is nothing that could keep them."""

    def cancel(self) -> None:
        """See `Datasets`."""
        self._sc.cancelAllJobs()

    def owns(self, value: Any) -> TypeGuard[RDD[Any]]:
        """See `Datasets`."""
        return isinstance(value, RDD)

    def of_node(self, node: Node) -> RDD[Any]:
        """Computed when it is read."""
        return RDD(node, self._sc)

    def node(self, rdd: RDD[Any]) -> Node:
        """Its own."""
        return rdd._node

    def of_blocks(
        self, blocks: Sequence[Block], rows: Callable[[Block], Iterable[Any]], settings: KinesisSettings
    ) -> RDD[Any]:
        """One partition a block."""
        from millstream.streaming.kinesis_rows import KinesisBlocks

        return RDD(KinesisBlocks(blocks, rows), self._sc)

    def of_files(self, paths: Sequence[str], read: Callable[[str], Iterable[Any]]) -> RDD[Any]:
        """See `Datasets`."""
        return RDD(Files(paths, read), self._sc)

    def union(self, rdds: Sequence[RDD[Any]]) -> RDD[Any]:
        """See `Datasets`."""
        return self._sc.union(list(rdds))

    def reduced(self, rdd: RDD[Any], function: Callable[[Any, Any], Any]) -> RDD[Any]:
        """One fused loop a partition."""
        return rdd._step("asValue").reduceByKey(function, 1).values()

    def keep(self, time_ms: int, rdd: RDD[Any], level: StorageLevel) -> None:
        """See `Datasets`."""
        rdd.persist(level)

    def saved(self, rdd: RDD[Any], rows: list[list[Any]]) -> RDD[Any]:
        """Plain rows, which know nothing of where they came from."""
        return RDD(Rows(rows), self._sc)


def datasets_of(sc: SparkContext) -> Datasets:
    """Those of a context, which may be a ``pyspark.SparkContext``."""
    from millstream.context import SparkContext

    if isinstance(sc, SparkContext):
        return OwnDatasets(sc)
    from millstream.cluster.datasets import SparkDatasets

    return SparkDatasets(sc)
