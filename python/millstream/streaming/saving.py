"""The states of a context as the native recovery log writes and reads them: plain data by the operations' names.

What is written of a batch is, for each state, a pickled pair of the entries that were put and the keys that are gone.
It holds no code, so that it can be read by the program's next version.
"""

from __future__ import annotations

import sys
from typing import Any, Protocol

from millstream.errors import PySparkRuntimeError
from millstream.streaming.keyed_state import Changes


class Saved(Protocol):
    """A state that outlives its process."""

    def changes(self) -> Changes | None:
        """What has changed since the last call, at first everything; None if nothing can have."""

    def all(self) -> Changes:
        """Everything."""

    def restore(self, known: dict[Any, Any]) -> None:
        """Goes on from the entries that an earlier run has saved."""


class States:
    """All states of a context."""

    def __init__(self) -> None:
        self._states: dict[str, Saved] = {}

    def add(self, kind: str, state: Saved) -> None:
        """Names a state: its kind, and which of its kind it is in the order of the program."""
        number = 1 + sum(name.rpartition(" ")[0] == kind for name in self._states)
        self._states[f"{kind} {number}"] = state

    def __bool__(self) -> bool:
        return bool(self._states)

    def changes(self) -> list[tuple[str, bytes]]:
        """What the last batch has changed."""
        changed = [(name, state.changes()) for name, state in self._states.items()]
        return [(name, _pickled(name, changes)) for name, changes in changed if changes is not None and any(changes)]

    def all(self) -> list[tuple[str, bytes]]:
        """Everything."""
        return [(name, _pickled(name, state.all())) for name, state in self._states.items()]

    def restore(self, saved: list[tuple[str, bytes]]) -> None:
        """Takes what `all` and then `changes` gave, in the order in which it was written."""
        known: dict[str, dict[Any, Any]] = {}
        for name, data in saved:
            entries = known.setdefault(name, {})
            put, gone = _unpickled(name, data)
            entries.update(put)
            for key in gone:
                entries.pop(key, None)
        for name, entries in known.items():
            if name in self._states:
                self._states[name].restore(entries)
            elif entries:
                print(f"millstream: the program has no '{name}' any more: its saved state is dropped", file=sys.stderr)


def _pickled(name: str, changes: Changes) -> bytes:
    import pickle

    try:
        return pickle.dumps(tuple(changes), protocol=5)
    except Exception as error:
        raise PySparkRuntimeError(
            f"the state of '{name}' can't be saved: {error}; keep values that can be pickled, such as numbers, "
            "strings, tuples, lists, dicts, and instances of classes at the top level of a module"
        ) from error


def _unpickled(name: str, data: bytes) -> tuple[dict[Any, Any], list[Any]]:
    import pickle

    try:
        put, gone = pickle.loads(data)
    except Exception as error:
        raise PySparkRuntimeError(
            f"the saved state of '{name}' can't be read: {error}; if a class was renamed or removed, bring it back, "
            "or begin anew with another checkpoint directory"
        ) from error
    return put, gone
