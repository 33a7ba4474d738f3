"""Accumulators: values that tasks only add to."""

from __future__ import annotations

from threading import Lock
from typing import Generic, TypeVar

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

    @property
    def value(self) -> T:
        """The sum so far."""
        return self._value

    @value.setter
    def value(self, value: T) -> None:
        self._value = value

    def add(self, term: T) -> None:
        """Adds ``term``."""
        with self._adding:
            self._value = self.accum_param.addInPlace(self._value, term)

    def __iadd__(self, term: T) -> Accumulator[T]:
        self.add(term)
        return self

    def __str__(self) -> str:
        return str(self._value)

    def __repr__(self) -> str:
        return f"Accumulator<id={self.aid}, value={self._value}>"
