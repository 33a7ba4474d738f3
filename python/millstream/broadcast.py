"""Broadcast variables: in one process, a holder of the value itself."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class Broadcast(Generic[T]):
    """A value that tasks may read; made by `SparkContext.broadcast`."""

    def __init__(self, value: T) -> None:
        self._value = value

    @property
    def value(self) -> T:
        """The value. It stays readable in the program after `unpersist` and `destroy`, as in PySpark."""
        return self._value

    def unpersist(self, blocking: bool = False) -> None:
        """Drops copies on executors: there are none."""

    def destroy(self, blocking: bool = False) -> None:
        """Drops all copies on executors: there are none."""
