"""An RDD's identity: its context, name, number, and whether it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar, cast

from millstream.errors import PySparkValueError, UnsupportedOperationException
from millstream.rdd.fuse import Step
from millstream.rdd.partitions import Node, Stepped
from millstream.storagelevel import StorageLevel
from millstream.taskstate import check_on_driver, rdd_in_task

if TYPE_CHECKING:
    from collections.abc import Callable

    from millstream.context import SparkContext
    from millstream.rdd.rdd import RDD

T = TypeVar("T")


class RDDBase(Generic[T]):
    """The part of an RDD that knows nothing of its elements."""

    def __init__(self, node: Node, ctx: SparkContext) -> None:
        self._node = node
        self.ctx = ctx
        check_on_driver()
        self._id = ctx._next_rdd_id()
        self._name: str | None = None
        self._level = StorageLevel.NONE

    def _with(self, node: Node) -> RDD[Any]:
        return cast("RDD[Any]", type(self)(node, self.ctx))

    def _step(self, kind: str, function: Callable[..., Any] | None = None) -> RDD[Any]:
        return self._with(Stepped(self._node, Step(kind, function)))

    def _reduce_partitions(self, numPartitions: int | None) -> int:
        if numPartitions is not None:
            if numPartitions < 1:
                raise PySparkValueError(f"the number of partitions must be at least 1, not {numPartitions}")
            return numPartitions
        if self.ctx.getConf().contains("spark.default.parallelism"):
            return self.ctx.defaultParallelism
        return self.getNumPartitions()

    @property
    def context(self) -> SparkContext:
        """The context this RDD was made in."""
        return self.ctx

    def id(self) -> int:
        """A number that no other RDD of the context has."""
        return self._id

    def name(self) -> str | None:
        """The name given by `setName`."""
        return self._name

    def setName(self, name: str) -> RDD[T]:
        """Names the RDD in printouts."""
        self._name = name
        return cast("RDD[T]", self)

    def getNumPartitions(self) -> int:
        """The number of partitions."""
        return self._node.partitions

    @property
    def is_cached(self) -> bool:
        """Whether the RDD is persisted."""
        return self._level != StorageLevel.NONE

    def cache(self) -> RDD[T]:
        """Keeps computed partitions in memory."""
        return self.persist(StorageLevel.MEMORY_ONLY)

    def persist(self, storageLevel: StorageLevel = StorageLevel.MEMORY_ONLY) -> RDD[T]:
        """Keeps computed partitions; every level means memory here."""
        if self.is_cached and storageLevel != self._level:
            raise UnsupportedOperationException(
                "Cannot change storage level of an RDD after it was already assigned a level"
            )
        self._level = storageLevel
        if self._node.kept is None:
            self._node.kept = {}
        return cast("RDD[T]", self)

    def unpersist(self, blocking: bool = False) -> RDD[T]:
        """Forgets the kept partitions; those of a checkpoint stay."""
        self._level = StorageLevel.NONE
        if not self._node.is_cut_off:
            self._node.kept = None
        return cast("RDD[T]", self)

    def getStorageLevel(self) -> StorageLevel:
        """The level given to `persist`, or `StorageLevel.NONE`."""
        return self._level

    def toDebugString(self) -> bytes:
        """The lineage, one dataset a line, with its number of partitions."""
        lines: list[str] = []
        waiting = [(self._node, 0)]
        while waiting:
            node, depth = waiting.pop()
            kept = " [kept]" if node.kept is not None else ""
            lines.append(f"{' |  ' * depth}({node.partitions}) {node.label}{kept}")
            waiting += [(parent, depth + 1) for parent in reversed(node.parents)]
        return "\n".join(lines).encode()

    def __reduce__(self) -> NoReturn:
        raise rdd_in_task()

    def __repr__(self) -> str:
        name = f"{self._name} " if self._name else ""
        return f"{name}{self._node.label}[{self._id}]"
