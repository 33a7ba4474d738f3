"""Checkpoints of RDDs: their rows in files, or kept, instead of their lineage."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from millstream.errors import SparkRuntimeException
from millstream.rdd.base import T
from millstream.rdd.sampling import Sampling
from millstream.rdd.save import local_path

if TYPE_CHECKING:
    from millstream.rdd.partitions import Node


class Checkpoints:
    """Those of a context: where they go, and which RDDs wait for their first job."""

    def __init__(self) -> None:
        self.directory: str | None = None
        self._waiting: dict[int, CheckpointOperations[Any]] = {}

    def set_directory(self, path: str) -> None:
        """Makes a directory of its own for this run in ``path``."""
        self.directory = os.path.join(os.path.abspath(local_path(path)), str(uuid.uuid4()))
        os.makedirs(self.directory)

    def add(self, rdd: CheckpointOperations[Any]) -> None:
        """To be done with the first job that reads ``rdd``."""
        self._waiting[id(rdd._node)] = rdd

    def write(self, node: Node) -> None:
        """Does those that a job on ``node`` reads, the furthest ones first."""
        if not self._waiting:
            return
        found: list[CheckpointOperations[Any]] = []
        looking, seen = [node], {id(node)}
        while looking:
            current = looking.pop()
            if id(current) in self._waiting:
                found.append(self._waiting.pop(id(current)))
            for parent in current.parents:
                if id(parent) not in seen:
                    seen.add(id(parent))
                    looking.append(parent)
        for rdd in reversed(found):
            rdd._checkpoint()


class SavedPartitions(dict[int, Iterable[Any]]):
    """What `Node.kept` is after a checkpoint: each partition's file, read anew each time."""

    def __init__(self, directory: str) -> None:
        super().__init__()
        self.directory = directory

    def __contains__(self, index: object) -> bool:
        return True

    def __getitem__(self, index: int) -> Iterable[Any]:
        return _Rows(os.path.join(self.directory, f"part-{index:05d}"))


class _Rows(Iterable[Any]):
    def __init__(self, name: str) -> None:
        self._name = name

    def __iter__(self) -> Iterator[Any]:
        from millstream.rdd.pickles import pickled_rows

        return pickled_rows(self._name)


class CheckpointOperations(Sampling[T]):
    """Both kinds are done with the first job that needs the RDD, and cut off what the RDD was made of."""

    _checkpointed: str | None = None

    def checkpoint(self) -> None:
        """Lets the rows be saved under the directory of `SparkContext.setCheckpointDir`."""
        if self.ctx._checkpoints.directory is None:
            raise SparkRuntimeException("Checkpoint directory has not been set in the SparkContext")
        self._checkpointed = "file"
        self.ctx._checkpoints.add(self)

    def localCheckpoint(self) -> None:
        """Lets the rows be kept in memory for good."""
        self._checkpointed = "local"
        self.ctx._checkpoints.add(self)

    def isCheckpointed(self) -> bool:
        """Whether the rows have been saved or kept: after the first job."""
        return self._checkpointed is not None and not self._node.parents and self._node.kept is not None

    def isLocallyCheckpointed(self) -> bool:
        """Whether the RDD is marked by `localCheckpoint`."""
        return self._checkpointed == "local"

    def getCheckpointFile(self) -> str | None:
        """The directory of the saved rows, None before the first job."""
        kept = self._node.kept
        return kept.directory if isinstance(kept, SavedPartitions) else None

    def _checkpoint(self) -> None:
        if self._checkpointed == "file":
            from millstream.rdd.pickles import save_pickled

            directory = os.path.join(self.ctx._checkpoints.directory or "", f"rdd-{self.id()}")
            save_pickled(self, directory)
            self._node.kept = SavedPartitions(directory)
        else:
            self.persist()
            self.count()
        self._node.cut_off()
