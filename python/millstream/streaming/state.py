"""What a mapping function sees of a key's state: Spark's ``State``."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from millstream.errors import IllegalArgumentException, NoSuchElementException

S = TypeVar("S")


class State(Generic[S]):
    """One key's state during one call of the function of a `StateSpec`. It is of no use after the call."""

    _value: S
    _defined: bool
    _timing_out: bool
    _updated: bool
    _removed: bool

    def exists(self) -> bool:
        """Whether there is a state."""
        return self._defined

    def get(self) -> S:
        """The state; `NoSuchElementException` if there is none."""
        if not self._defined:
            raise NoSuchElementException("State is not set")
        return self._value

    def getOption(self) -> S | None:
        """The state, or None."""
        return self._value if self._defined else None

    def update(self, newState: S) -> None:
        """Sets the state. What is only changed in place is not saved: it has to be given here."""
        self._require(not self._removed, "Cannot update the state after it has been removed")
        self._require(not self._timing_out, "Cannot update the state that is timing out")
        self._value = newState
        self._defined = self._updated = True

    def remove(self) -> None:
        """Forgets the state."""
        self._require(not self._timing_out, "Cannot remove the state that is timing out")
        self._require(not self._removed, "Cannot remove the state that has already been removed")
        self._defined = self._updated = False
        self._removed = True

    def isTimingOut(self) -> bool:
        """Whether the key had no data for the spec's timeout: its state goes after this call."""
        return self._timing_out

    def __str__(self) -> str:
        return str(self._value) if self._defined else "<state not set>"

    def _wrap(self, value: Any, defined: bool, timing_out: bool = False) -> None:
        """Makes this the state of the next call."""
        self._value = value
        self._defined = defined
        self._timing_out = timing_out
        self._updated = self._removed = False

    @staticmethod
    def _require(holds: bool, message: str) -> None:
        if not holds:
            raise IllegalArgumentException(f"requirement failed: {message}")
