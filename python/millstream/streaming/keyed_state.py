"""What operations know of each key from batch to batch: one dict a partition, and what a batch has changed in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from millstream.rdd.hashing import portable_hash
from millstream.rdd.partitions import Node


class Changes(NamedTuple):
    """What is to be written down of a state: the entries that were put, and the keys that are gone."""

    put: dict[Any, Any]
    gone: list[Any]


#: Makes a partition's dict from the one before, which it leaves as it is, and from the rows of its inputs' partitions.
Advance = Callable[..., tuple[dict[Any, Any], Changes]]


class Keyed(Node):
    """The pairs of key and state after one batch.

    They are computed once, all partitions together, and then know nothing any more of where they came from. Until then
    the dataset before is needed: a batch that failed is computed again for the batch after it.
    """

    label = "StateRDD"

    def __init__(self, before: Keyed | None, partitions: int, inputs: Sequence[Node], advance: Advance) -> None:
        super().__init__(partitions, tuple(inputs))
        self._before = before
        self._inputs = inputs
        self._advance = advance
        self._dicts: list[dict[Any, Any]] | None = None
        self._changes = Changes({}, [])

    @classmethod
    def of(cls, dicts: list[dict[Any, Any]]) -> Keyed:
        """A dataset that is there already."""
        made = cls(None, len(dicts), [], lambda old: (old, Changes({}, [])))
        made._dicts = dicts
        return made

    def compute(self, index: int) -> Iterable[Any]:
        """The pairs of one partition."""
        return self.dicts()[index].items()

    def dicts(self) -> list[dict[Any, Any]]:
        """A dict a partition; computes those before that have not been, the oldest first."""
        waiting: list[Keyed] = []
        node: Keyed | None = self
        while node is not None and node._dicts is None:
            waiting.append(node)
            node = node._before
        made = node._dicts if node is not None else None
        for node in reversed(waiting):
            made = node._make(made)
        assert made is not None
        return made

    def _make(self, before: list[dict[Any, Any]] | None) -> list[dict[Any, Any]]:
        made = []
        changes = Changes({}, [])
        for index in range(self.partitions):
            old = before[index] if before is not None else {}
            new, (put, gone) = self._advance(old, *(node.rows(index) for node in self._inputs))
            made.append(new)
            changes.put.update(put)
            changes.gone.extend(gone)
        self._dicts, self._changes = made, changes
        self._before, self._inputs, self.parents = None, (), ()
        return made

    def changes(self) -> Changes:
        """How it differs from the dataset before."""
        self.dicts()
        return self._changes


class KeyedState:
    """The state of one operation: the dataset of its last batch."""

    def __init__(self, partitions: int, initial: Callable[[], Iterable[tuple[Any, Any]]] | None = None) -> None:
        """``initial`` gives the pairs that are there before the first batch; of two with one key, the first counts."""
        self._partitions = partitions
        self.last: Keyed | None = None
        if initial is not None:
            self.last = Keyed(None, partitions, [_Dealt(initial, partitions)], _taken)
        #: The last dataset that was written down.
        self._saved: Keyed | None = None

    def next(self, inputs: Sequence[Node], advance: Advance) -> Keyed:
        """The dataset of the next batch, computed when it is needed."""
        self.last = Keyed(self.last, self._partitions, inputs, advance)
        return self.last

    def changes(self) -> Changes | None:
        """What the last batch has changed, at first everything; None if there was no batch since the last call."""
        last, saved = self.last, self._saved
        if last is None or last is saved:
            return None
        self._saved = last
        return last.changes() if saved is not None else self.all()

    def all(self) -> Changes:
        """Everything."""
        merged: dict[Any, Any] = {}
        for part in self.last.dicts() if self.last is not None else []:
            merged.update(part)
        return Changes(merged, [])

    def restore(self, pairs: dict[Any, Any]) -> None:
        """Goes on from what an earlier run of the program knew, perhaps with another number of partitions."""
        self._saved = self.last = Keyed.of(_deal(pairs.items(), self._partitions))


class _Dealt(Node):
    """Pairs in the partitions of their keys."""

    label = "InitialStateRDD"

    def __init__(self, pairs: Callable[[], Iterable[tuple[Any, Any]]], partitions: int) -> None:
        super().__init__(partitions)
        self._pairs = pairs
        self._dicts: list[dict[Any, Any]] | None = None

    def compute(self, index: int) -> Iterable[Any]:
        """Deals them out when the first partition is asked for."""
        if self._dicts is None:
            self._dicts = _deal(self._pairs(), self.partitions)
        return self._dicts[index].items()


def _deal(pairs: Iterable[tuple[Any, Any]], partitions: int) -> list[dict[Any, Any]]:
    dicts: list[dict[Any, Any]] = [{} for _ in range(partitions)]
    for key, value in pairs:
        dicts[portable_hash(key) % partitions].setdefault(key, value)
    return dicts


def _taken(_: dict[Any, Any], rows: Iterable[tuple[Any, Any]]) -> tuple[dict[Any, Any], Changes]:
    new = dict(rows)
    return new, Changes(new, [])
