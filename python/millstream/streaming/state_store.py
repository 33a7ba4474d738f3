"""The states of ``mapWithState``: changed in place, so that a batch costs what its keys cost.

A partition is a dict of key to (state, time of its last batch in ms), the one that waits longest first. What a batch
does to it goes into a small dict beside it, and into the partition only when the whole batch has been computed: a
batch that failed leaves nothing, and is computed again for the batch after it.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from threading import RLock
from typing import Any

from millstream.rdd.hashing import portable_hash
from millstream.rdd.partitions import Node
from millstream.streaming.keyed_state import Changes
from millstream.streaming.state import State
from millstream.streaming.state_spec import Mapping

Entry = tuple[Any, int]


class StateStore:
    """The states of one operation after its last batch."""

    def __init__(
        self,
        mapping: Mapping,
        timeout_ms: int | None,
        partitions: int,
        initial: Callable[[], Iterable[tuple[Any, Any]]],
    ) -> None:
        """``initial`` gives the states before the first batch; of two with one key, the first counts."""
        self._mapping = mapping
        self._timeout_ms = timeout_ms
        self._initial: Callable[[], Iterable[tuple[Any, Any]]] | None = initial
        self._dicts: list[OrderedDict[Any, Entry]] = [OrderedDict() for _ in range(partitions)]
        #: Guards all that follows. It is held while the mapping function runs, which can't wait for another thread's
        #: batch: tasks can't use datasets.
        self._lock = RLock()
        self._waiting: deque[Mapped] = deque()
        #: The last batch that was computed, if somebody holds it still.
        self._last: weakref.ref[Mapped] | None = None
        #: What is not written down yet; None for a key that is gone. And those of its keys that never were.
        self._unsaved: dict[Any, Entry | None] = {}
        self._new: set[Any] = set()

    def next(self, time_ms: int, data: Node | None) -> Mapped:
        """The next batch, computed when it is needed: ``data`` has the pairs in the partitions of their keys."""
        batch = Mapped(self, time_ms, data, len(self._dicts))
        with self._lock:
            self._waiting.append(batch)
        return batch

    def advance(self, until: Mapped | None = None) -> None:
        """Computes the batches that have not been, the oldest first, until one has been computed."""
        with self._lock:
            while self._waiting and (until is None or until.mapped is None):
                self._run(self._waiting[0])
                self._waiting.popleft()

    def _run(self, batch: Mapped) -> None:
        self._begin(batch.time_ms)
        changed: list[dict[Any, Entry | None]] = [{} for _ in self._dicts]
        mapped = [self._map(index, batch, changes) for index, changes in enumerate(changed)]
        if self._last is not None and (last := self._last()) is not None:
            last.keep_states()
        for known, changes in zip(self._dicts, changed, strict=True):
            self._apply(known, changes)
        self._last = weakref.ref(batch)
        batch.done(mapped)

    def _begin(self, time_ms: int) -> None:
        if self._initial is not None:
            pairs: dict[Any, Entry] = {}
            for key, value in self._initial():
                pairs.setdefault(key, (value, time_ms))
            self._initial = None
            self._deal(pairs.items())
            self._unsaved.update(pairs)
            self._new.update(pairs)

    def _map(self, index: int, batch: Mapped, changes: dict[Any, Entry | None]) -> list[Any]:
        """Calls the function for the pairs of a partition, then for its keys that time out."""
        known, mapping, time_ms = self._dicts[index], self._mapping, batch.time_ms
        refreshes = self._timeout_ms is not None
        state: State[Any] = State()
        mapped: list[Any] = []
        for key, value in batch.rows_of(index):
            entry = changes[key] if key in changes else known.get(key)
            if entry is None:
                state._wrap(None, False)
            else:
                state._wrap(entry[0], True)
            mapped += mapping(time_ms, key, value, state)
            if state._removed:
                changes[key] = None
            elif state._updated or (refreshes and state._defined):
                changes[key] = (state._value, time_ms)
        if self._timeout_ms is not None:
            for key, (value, since_ms) in known.items():
                if since_ms >= time_ms - self._timeout_ms:
                    break
                if key not in changes:
                    state._wrap(value, True, timing_out=True)
                    mapped += mapping(time_ms, key, None, state)
                    changes[key] = None
        return mapped

    def _apply(self, known: OrderedDict[Any, Entry], changes: dict[Any, Entry | None]) -> None:
        for key, entry in changes.items():
            if entry is not None:
                if key not in known and key not in self._unsaved:
                    self._new.add(key)
                known[key] = self._unsaved[key] = entry
                known.move_to_end(key)
            elif known.pop(key, None) is not None:
                if key in self._new:
                    self._new.remove(key)
                    del self._unsaved[key]
                else:
                    self._unsaved[key] = None

    def states(self, batch: Mapped) -> list[list[tuple[Any, Any]]]:
        """All pairs of key and state after a batch, the last one or one that is not computed yet, by partition."""
        with self._lock:
            self.advance(batch)
            return [[(key, entry[0]) for key, entry in known.items()] for known in self._dicts]

    def changes(self) -> Changes:
        """What has changed since the last call, at first everything."""
        with self._lock:
            self.advance()
            unsaved, self._unsaved, self._new = self._unsaved, {}, set()
        put = {key: entry for key, entry in unsaved.items() if entry is not None}
        return Changes(put, [key for key, entry in unsaved.items() if entry is None])

    def all(self) -> Changes:
        """All states, with the times of their last batches."""
        with self._lock:
            self.advance()
            return Changes({key: entry for known in self._dicts for key, entry in known.items()}, [])

    def restore(self, entries: dict[Any, Entry]) -> None:
        """Goes on with what an earlier run has saved, perhaps in another number of partitions."""
        self._initial = None
        self._deal(sorted(entries.items(), key=lambda pair: pair[1][1]))

    def _deal(self, entries: Iterable[tuple[Any, Entry]]) -> None:
        for key, entry in entries:
            self._dicts[portable_hash(key) % len(self._dicts)][key] = entry


class Mapped(Node):
    """What the mapping function has returned in one batch. Once computed, it knows nothing any more of its data."""

    label = "MapWithStateRDD"

    def __init__(self, store: StateStore, time_ms: int, data: Node | None, partitions: int) -> None:
        super().__init__(partitions, () if data is None else (data,))
        self._store = store
        self.time_ms = time_ms
        self.mapped: list[list[Any]] | None = None
        self._snapshots: weakref.WeakSet[Snapshot] = weakref.WeakSet()

    def rows_of(self, index: int) -> Iterable[tuple[Any, Any]]:
        """The pairs of one partition."""
        return self.parents[0].rows(index) if self.parents else ()

    def compute(self, index: int) -> Iterable[Any]:
        """Of one partition."""
        if self.mapped is None:
            self._store.advance(self)
        assert self.mapped is not None
        return self.mapped[index]

    def done(self, mapped: list[list[Any]]) -> None:
        """It is computed."""
        self.mapped, self.parents = mapped, ()

    def states(self) -> Snapshot:
        """A dataset of all states after this batch; to be made before the next batch is computed."""
        made = Snapshot(self._store, self)
        self._snapshots.add(made)
        return made

    def keep_states(self) -> None:
        """The next batch is about to change them."""
        for snapshot in self._snapshots:
            snapshot.take()


class Snapshot(Node):
    """All states after one batch: copied when they are read, or else, where somebody holds it still, before the next
    batch changes them."""

    label = "StateSnapshotRDD"

    def __init__(self, store: StateStore, batch: Mapped) -> None:
        super().__init__(batch.partitions, (batch,))
        self._store = store
        self._batch = batch
        self._lists: list[list[tuple[Any, Any]]] | None = None

    def take(self) -> list[list[tuple[Any, Any]]]:
        """The copy."""
        if self._lists is None:
            self._lists = self._store.states(self._batch)
            self.parents = ()
        return self._lists

    def compute(self, index: int) -> Iterable[Any]:
        """Of one partition."""
        return self.take()[index]
