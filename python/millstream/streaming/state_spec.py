"""What ``mapWithState`` is to do: Spark's ``StateSpec``."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from millstream.errors import IllegalArgumentException
from millstream.streaming.settings import LONGEST_S
from millstream.streaming.state import State
from millstream.streaming.util import argument_count, batch_time

if TYPE_CHECKING:
    from millstream.rdd import RDD

K = TypeVar("K", bound=Hashable)
#: What the function takes as a value: that of a pair, and None if there is a timeout.
V = TypeVar("V", contravariant=True)
S = TypeVar("S")
E = TypeVar("E")

#: Takes (time in ms, key, value or None, state); returns the elements for the mapped stream, none or one.
Mapping = Callable[[int, Any, Any, State[Any]], "tuple[()] | tuple[Any]"]


class StateSpec(Generic[K, V, S, E]):
    """Made by `StateSpec.function`; the setters return the object, so that calls can be chained."""

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self._timeout_ms: int | None = None
        self._initial: RDD[tuple[K, S]] | Iterable[tuple[K, S]] | None = None
        self._partitions: int | None = None

    @overload
    @staticmethod
    def function(mappingFunction: Callable[[K, V, State[S]], E]) -> StateSpec[K, V, S, E]: ...
    @overload
    @staticmethod
    def function(
        mappingFunction: Callable[[datetime, K, V, State[S]], E | None],
    ) -> StateSpec[K, V, S, E]: ...
    @staticmethod
    def function(mappingFunction: Callable[..., Any]) -> StateSpec[Any, Any, Any, Any]:
        """``mappingFunction(key, value, state)`` is called for each pair of a batch, and what it returns is an element
        of the mapped stream. With the batch time as a first argument, it may return None for no element, as with
        Scala's ``Option``. For a key that times out, the value is None."""
        count = argument_count(mappingFunction)
        if count == 3:
            return StateSpec(lambda _, key, value, state: (mappingFunction(key, value, state),))
        if count != 4:
            raise IllegalArgumentException(
                f"the function of a StateSpec takes (key, value, state) or (time, key, value, state), not {count} "
                "arguments"
            )

        def with_time(time_ms: int, key: Any, value: Any, state: State[Any]) -> tuple[()] | tuple[Any]:
            mapped = mappingFunction(batch_time(time_ms), key, value, state)
            return () if mapped is None else (mapped,)

        return StateSpec(with_time)

    def timeout(self, idleDuration: float) -> StateSpec[K, V, S, E]:
        """Seconds without data after which a key's state goes. The function is called for it a last time, with
        `State.isTimingOut` true, in the first batch that is more than that later."""
        if not 0 < idleDuration <= LONGEST_S:
            raise IllegalArgumentException(f"a timeout must be above 0 and at most {LONGEST_S} s, not {idleDuration} s")
        self._timeout_ms = int(idleDuration * 1000)
        return self

    def initialState(self, rdd: RDD[tuple[K, S]] | Iterable[tuple[K, S]]) -> StateSpec[K, V, S, E]:
        """States that are there before the first batch, unless an earlier run has saved some."""
        self._initial = rdd
        return self

    def numPartitions(self, numPartitions: int) -> StateSpec[K, V, S, E]:
        """The number of partitions of the states and the mapped stream (default `defaultParallelism`)."""
        if numPartitions < 1:
            raise IllegalArgumentException(f"the number of partitions must be at least 1, not {numPartitions}")
        self._partitions = numPartitions
        return self
