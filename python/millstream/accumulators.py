"""Accumulators: values that tasks only add to.

In a worker process an accumulator adds up what its task adds; the sums come back with the task's results, and count
once for each task that has succeeded.
"""

from __future__ import annotations

from threading import Lock
from typing import Any, Generic, TypeVar
from weakref import WeakValueDictionary

from millstream.errors import PySparkRuntimeError
from millstream.taskstate import in_worker

T = TypeVar("T")
N = TypeVar("N", int, float, complex)


class AccumulatorParam(Generic[T]):
    """How values of a type are added; a program may subclass it for its own types."""

    def zero(self, value: T) -> T:
        """The neutral element, of the shape of ``value``."""
        raise NotImplementedError

    def addInPlace(self, value1: T, value2: T) -> T:
        """The sum; ``value1`` may be changed."""
        raise NotImplementedError


class AddingAccumulatorParam(AccumulatorParam[N]):
    """Addition of plain numbers."""

    def __init__(self, zero_value: N) -> None:
        self._zero: N = zero_value

    def zero(self, value: N) -> N:
        """Zero of the number's own type."""
        return self._zero

    def addInPlace(self, value1: N, value2: N) -> N:
        """The sum of two numbers."""
        return value1 + value2


class Accumulator(Generic[T]):
    """A shared sum; made by `SparkContext.accumulator`."""

    def __init__(self, aid: int, value: T, accum_param: AccumulatorParam[T]) -> None:
        self.aid = aid
        self.accum_param = accum_param
        self._value = value
        self._adding = Lock()
        _accumulators[aid] = self

    @property
    def value(self) -> T:
        """The sum so far; not to be read in tasks of worker processes."""
        _check_accessible()
        return self._value

    @value.setter
    def value(self, value: T) -> None:
        _check_accessible()
        self._value = value

    def add(self, term: T) -> None:
        """Adds ``term``."""
        with self._adding:
            self._value = self.accum_param.addInPlace(self._value, term)

    def __iadd__(self, term: T) -> Accumulator[T]:
        self.add(term)
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        param = self.accum_param
        return _of_task, (self.aid, param.zero(self._value), param)

    def __str__(self) -> str:
        return str(self._value)

    def __repr__(self) -> str:
        return f"Accumulator<id={self.aid}, value={self._value}>"


def _check_accessible() -> None:
    if in_worker():
        raise PySparkRuntimeError(
            "[VALUE_NOT_ACCESSIBLE] Value `Accumulator.value` cannot be accessed inside tasks.", "VALUE_NOT_ACCESSIBLE"
        )


#: In the main process: those that the program still has. In a worker: those of the task that runs.
_accumulators: WeakValueDictionary[int, Accumulator[Any]] = WeakValueDictionary()
_of_this_task: dict[int, Accumulator[Any]] = {}


def _of_task(aid: int, zero: Any, param: AccumulatorParam[Any]) -> Accumulator[Any]:
    """What an accumulator is in a worker: one for each task, which begins at zero."""
    if not in_worker():
        return _accumulators[aid]
    if aid not in _of_this_task:
        _of_this_task[aid] = Accumulator(aid, zero, param)
    return _of_this_task[aid]


def take_sums() -> list[tuple[int, Any]]:
    """In a worker: what the task has added to each accumulator. The next task begins at zero."""
    sums = [(aid, accumulator._value) for aid, accumulator in _of_this_task.items()]
    _of_this_task.clear()
    return sums


def add_sums(sums: list[tuple[int, Any]]) -> None:
    """In the main process: takes in the sums of a task."""
    for aid, value in sums:
        accumulator = _accumulators.get(aid)
        if accumulator is not None:
            accumulator.add(value)
