"""From an action to tasks for worker processes.

A job is cut where rows move between partitions: each shuffle below it becomes a stage of its own, whose buckets stay
packed in this process. What a worker gets is a copy of the lineage down to its leaves, and what these stand for: the
buckets of a shuffle, kept partitions, or the rows of a dataset that only this process can compute.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from millstream.rdd.packing import Packed, pack, pack_rows, unpack
from millstream.rdd.running import LocalRunner
from millstream.rdd.shuffle import Shuffled
from millstream.workers import computing, frames
from millstream.workers.tasks import Attempts, Task, run

if TYPE_CHECKING:
    from millstream.rdd.partitions import Node
    from millstream.workers.pool import Pool

    #: What a task does with its partition of a lineage; its results go back packed.
    Work = Callable[[Node, int], list[bytes]]


class WorkerRunner:
    """Runs partitions in a pool of worker processes."""

    def __init__(self, pool: Pool, attempts: Attempts) -> None:
        self._pool = pool
        self._attempts = attempts

    def run(self, node: Node, indices: Sequence[int], sink: str, *functions: Callable[..., Any]) -> Iterator[Any]:
        """What the sink makes of each of some partitions, in their order; the job is done before the first comes."""
        if not functions and (node.kept is not None or not _is_for_workers(node)):
            # The rows are to be here, or can be computed nowhere else: a worker could only send them back.
            self._prepare(_Source(node, buckets=False), list(indices))
            return LocalRunner().run(node, indices, sink)
        results = self._run(node, indices, partial(computing.sunk, sink, functions))
        return (unpack(result) for [result] in results)

    def rows(self, node: Node, index: int) -> Iterable[Any]:
        """The rows of one partition, all computed, and unpacked as they are read."""
        [pickles] = self._run(node, [index], computing.rows)
        return Packed(pickles)

    def cancel(self) -> None:
        """Ends the jobs that run."""
        self._pool.cancel()

    def close(self) -> None:
        """Ends the workers."""
        self._pool.close()

    def _run(self, node: Node, indices: Sequence[int], work: Work, kept: bool = True) -> list[list[bytearray]]:
        """``kept``: whether the rows of ``node`` itself are looked up where they are kept."""
        if not indices:
            return []
        plan = _Plan(node, kept)
        inputs = {index: list(plan.inputs(index)) for index in indices}
        needed: dict[int, set[int]] = {}
        for number, at in chain.from_iterable(inputs.values()):
            needed.setdefault(number, set()).add(at)
        for number, source in enumerate(plan.sources):
            self._prepare(source, sorted(needed.get(number, ())))
        job = pack((plan.lineage, work))
        tasks = [Task(partial(_messages, job, index, needs, plan.sources)) for index, needs in inputs.items()]
        return run(self._pool, tasks, self._attempts)

    def _prepare(self, source: _Source, indices: list[int]) -> None:
        """Runs the stages that come before what the source sends, and computes what only this process can."""
        node = source.node
        if source.buckets:
            self._shuffle(node)
        elif node.kept is not None and _is_for_workers(node):
            missing = [index for index in indices if index not in node.kept]
            for index, pickles in zip(missing, self._run(node, missing, computing.rows, kept=False), strict=True):
                node.kept[index] = Packed(pickles)
        elif node.parents:
            self._shuffle_below(node)
            source.computed = {index: list(node.rows(index)) for index in indices}

    def _shuffle_below(self, node: Node) -> None:
        for parent in node.parents:
            if isinstance(parent, Shuffled):
                self._shuffle(parent)
            else:
                self._shuffle_below(parent)

    def _shuffle(self, node: Node) -> None:
        assert isinstance(node, Shuffled)
        if node.packed is not None or node.made is not None:
            return
        (parent,) = node.parents
        scattered = self._run(parent, range(parent.partitions), partial(computing.scattered, _without_data(node)))
        node.packed = [Packed([row[at] for row in scattered]) for at in range(node.partitions)]


class _Source:
    """Where a leaf's rows come from: with ``buckets``, those of a shuffle; else its node, or what was ``computed``."""

    def __init__(self, node: Node, buckets: bool) -> None:
        self.node = node
        self.buckets = buckets
        self.computed: dict[int, list[Any]] = {}

    def pickles(self, index: int) -> Iterable[bytes | bytearray]:
        """One partition, packed."""
        node = self.node
        if self.buckets and isinstance(node, Shuffled) and node.packed is not None:
            return node.packed[index].pickles
        rows = self.computed[index] if index in self.computed else node.rows(index)
        return rows.pickles if isinstance(rows, Packed) else pack_rows(rows)


class _Plan:
    """A copy of a lineage down to its leaves."""

    def __init__(self, node: Node, kept: bool) -> None:
        self.sources: list[_Source] = []
        self._numbers: dict[int, int] = {}
        self._copies: dict[int, Node] = {}
        self._node = node
        self._kept = kept
        self.lineage = self._copy(node)

    def _is_kept(self, node: Node) -> bool:
        return node.kept is not None and (self._kept or node is not self._node)

    def _is_leaf(self, node: Node) -> bool:
        return self._is_kept(node) or not node.narrow

    def _copy(self, node: Node) -> Node:
        made = self._copies.get(id(node))
        if made is None:
            if self._is_leaf(node):
                made = self._leaf(node)
            else:
                made = copy.copy(node)
                made.kept = None
                made.parents = tuple(map(self._copy, node.parents))
            self._copies[id(node)] = made
        return made

    def _leaf(self, node: Node) -> computing.Leaf:
        shuffled = node if isinstance(node, Shuffled) and node.made is None and not self._is_kept(node) else None
        number = self._numbers[id(node)] = len(self.sources)
        self.sources.append(_Source(node, shuffled is not None))
        return computing.Leaf(number, node.partitions, _without_data(shuffled) if shuffled else None)

    def inputs(self, index: int) -> Iterator[tuple[int, int]]:
        """The partitions of leaves that one partition reads, as (number of the leaf, partition)."""
        waiting = [(self._node, index)]
        while waiting:
            node, at = waiting.pop()
            if self._is_leaf(node):
                yield self._numbers[id(node)], at
            else:
                waiting += list(node.reads(at))[::-1]


def _is_for_workers(node: Node) -> bool:
    return node.narrow or isinstance(node, Shuffled)


def _without_data(node: Shuffled) -> Shuffled:
    """What a worker needs of a shuffle."""
    made = copy.copy(node)
    made.parents = ()
    made.kept = made.made = made.packed = None
    return made


def _messages(
    job: bytes, index: int, needs: list[tuple[int, int]], sources: list[_Source]
) -> Iterator[tuple[int, bytes | bytearray]]:
    yield frames.TASK, pack(frames.Order(index, needs, sys.path, _provides_pyspark()))
    yield frames.PART, job
    for number, at in dict.fromkeys(needs):
        for data in sources[number].pickles(at):
            yield frames.PART, data
        yield frames.END, b""


def _provides_pyspark() -> bool:
    names = sys.modules.get("millstream.submit.pyspark_names")
    return names is not None and bool(names.provides_pyspark())
