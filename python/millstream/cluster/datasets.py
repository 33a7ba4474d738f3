"""Batches as RDDs of a real PySpark."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeGuard

from millstream.cluster.checks import check_executors, check_version, tell_of_speculation
from millstream.cluster.keeping import Kept
from millstream.cluster.nodes import Collected
from millstream.cluster.parts import Reading, rows_of_part
from millstream.cluster.planning import Plan
from millstream.rdd.partitions import Node
from millstream.streaming.kinesis_rows import record_rows
from millstream.streaming.settings import carried_bytes

if TYPE_CHECKING:
    from millstream._millstream import Block
    from millstream.storagelevel import StorageLevel
    from millstream.streaming.kinesis_input import KinesisSettings


class SparkDatasets:
    """See `millstream.streaming.datasets.Datasets`. ``sc`` is a ``pyspark.SparkContext``; an ``RDD`` here is a
    ``pyspark.RDD``.

    Rows that this process computes go to executors when the RDD is made, and what this process wants of an RDD is
    brought here by a job of its own.
    """

    def __init__(self, sc: Any) -> None:
        check_version(sc)
        self._sc = sc
        self._kept = Kept()
        self._carried = carried_bytes(sc.getConf())

    def check(self) -> None:
        """Whether executors can import this package; says where a setting has consequences."""
        tell_of_speculation(self._sc)
        check_executors(self._sc)

    def cancel(self) -> None:
        """See `Datasets`. A context that has been stopped is without its Java object."""
        if self._sc._jsc is not None:
            self._sc.cancelAllJobs()

    def owns(self, value: Any) -> TypeGuard[Any]:
        """See `Datasets`."""
        from pyspark import RDD

        return isinstance(value, RDD)

    def of_node(self, node: Node) -> Any:
        """The rows, computed now. The RDD remembers the node, for those who ask for it again."""
        rdd = self._of_parts([list(node.rows(index)) for index in range(node.partitions)], _itself)
        rdd._millstream_node = node
        return rdd

    def node(self, rdd: Any) -> Node:
        """Its rows, once they are wanted."""
        known: Node | None = getattr(rdd, "_millstream_node", None)
        return Collected(rdd) if known is None else known

    def of_blocks(
        self, blocks: Sequence[Block], rows: Callable[[Block], Iterable[Any]], settings: KinesisSettings
    ) -> Any:
        """A partition for each shard's records, several where they are many."""
        # Executors may come and go.
        plan = Plan(self._carried, self._sc.defaultParallelism)
        parts = plan.parts(blocks, all_columns=rows is record_rows)
        return self._of_parts(parts, partial(rows_of_part, rows, Reading.of(settings)))

    def of_files(self, paths: Sequence[str], read: Callable[[str], Iterable[Any]]) -> Any:
        """Read by the executors, which must have the files under the same names."""
        return self._of_parts(list(paths), read)

    def union(self, rdds: Sequence[Any]) -> Any:
        """See `Datasets`."""
        return self._sc.union(list(rdds)) if rdds else self._sc.emptyRDD()

    def reduced(self, rdd: Any, function: Callable[[Any, Any], Any]) -> Any:
        """See `Datasets`."""
        return rdd.map(_alone).reduceByKey(function, 1).values()

    def keep(self, time_ms: int, rdd: Any, level: StorageLevel) -> None:
        """On the executors."""
        from pyspark import StorageLevel as SparkLevel

        flags = (level.useDisk, level.useMemory, level.useOffHeap, level.deserialized, level.replication)
        self._kept.keep(time_ms, rdd, SparkLevel(*flags))

    def saved(self, rdd: Any, rows: list[list[Any]]) -> Any:
        """The RDD itself: its rows are kept on executors, and can be computed again."""
        return rdd

    def _of_parts(self, parts: list[Any], rows: Callable[[Any], Iterable[Any]]) -> Any:
        """One partition for each part, of what ``rows`` makes of it."""
        return self._sc.parallelize(parts, len(parts)).flatMap(rows) if parts else self._sc.emptyRDD()


def _itself(rows: list[Any]) -> list[Any]:
    return rows


def _alone(row: Any) -> tuple[None, Any]:
    return None, row
