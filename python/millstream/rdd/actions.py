"""Operations that compute a result from an RDD."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import reduce
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from millstream.rdd.base import T
from millstream.rdd.partitions import drain
from millstream.rdd.save import save_as_text
from millstream.rdd.transformations import Transformations

if TYPE_CHECKING:
    from millstream.rdd.rdd import RDD

U = TypeVar("U")
K = TypeVar("K", bound=Hashable)


class Actions(Transformations[T]):
    """Each action evaluates the partitions it needs, in order; an exception of a user's function comes out as it is."""

    def _partitions(self, sink: str, *functions: Callable[..., Any]) -> Iterator[Any]:
        for index in range(self._node.partitions):
            yield drain(self._node, index, sink, *functions)

    def collect(self) -> list[T]:
        """All elements, by partition."""
        rows: list[T] = []
        for part in self._partitions("list"):
            rows += part
        return rows

    def toLocalIterator(self, prefetchPartitions: bool = False) -> Iterator[T]:
        """An iterator over all elements that evaluates a partition when it gets there."""
        for part in self._partitions("rows"):
            yield from part

    def take(self, num: int) -> list[T]:
        """The first ``num`` elements; computes no more than it takes to find them."""
        return list(islice(self.toLocalIterator(), max(num, 0)))

    def first(self) -> T:
        """The first element; ValueError if there is none."""
        found = self.take(1)
        if not found:
            raise ValueError("RDD is empty")
        return found[0]

    def isEmpty(self) -> bool:
        """Whether there is no element."""
        return not self.take(1)

    def count(self) -> int:
        """The number of elements."""
        return sum(self._partitions("count"))

    def foreach(self, f: Callable[[T], None]) -> None:
        """Calls ``f`` with each element."""
        for _ in self._partitions("each", f):
            pass

    def foreachPartition(self, f: Callable[[Iterator[T]], Any]) -> None:
        """Calls ``f`` with an iterator over each partition; what it returns is read to its end if it is iterable."""
        for part in self._partitions("rows"):
            result = f(iter(part))
            if isinstance(result, Iterable):
                for _ in result:
                    pass

    def reduce(self, f: Callable[[T, T], T]) -> T:
        """The elements joined by ``f``, first within each partition; ValueError if there is none."""
        parts: list[T] = [value for found in self._partitions("reduce", f) for value in found]
        if not parts:
            raise ValueError("Can not reduce() empty RDD")
        return reduce(f, parts)

    def fold(self, zeroValue: T, op: Callable[[T, T], T]) -> T:
        """Like `reduce`, beginning with ``zeroValue`` in each partition and for the partitions' results."""
        return reduce(op, [reduce(op, part, zeroValue) for part in self._partitions("rows")], zeroValue)

    def aggregate(self, zeroValue: U, seqOp: Callable[[U, T], U], combOp: Callable[[U, U], U]) -> U:
        """Joins elements into a value of another type within partitions by ``seqOp``, then these by ``combOp``.

        Every partition begins with its own copy of ``zeroValue``, which the functions may change.
        """
        from copy import deepcopy

        parts = [reduce(seqOp, part, deepcopy(zeroValue)) for part in self._partitions("rows")]
        return reduce(combOp, parts, zeroValue)

    def sum(self) -> Any:
        """The sum of the elements, 0 if there is none."""
        return sum(sum(part) for part in self._partitions("rows"))

    def max(self, key: Callable[[T], Any] | None = None) -> T:
        """The greatest element; ValueError if there is none."""
        return self.reduce(lambda a, b: max(a, b, key=key))  # type: ignore[arg-type]

    def min(self, key: Callable[[T], Any] | None = None) -> T:
        """The least element; ValueError if there is none."""
        return self.reduce(lambda a, b: min(a, b, key=key))  # type: ignore[arg-type]

    def top(self, num: int, key: Callable[[T], Any] | None = None) -> list[T]:
        """The ``num`` greatest elements, greatest first."""
        from heapq import nlargest

        return nlargest(num, self.toLocalIterator(), key=key)  # type: ignore[arg-type]

    def takeOrdered(self, num: int, key: Callable[[T], Any] | None = None) -> list[T]:
        """The ``num`` least elements, least first."""
        from heapq import nsmallest

        return nsmallest(num, self.toLocalIterator(), key=key)  # type: ignore[arg-type]

    def countByValue(self: Actions[K]) -> dict[K, int]:
        """How often each element occurs."""
        counts: dict[K, int] = defaultdict(int)
        for part in self._partitions("tally"):
            for value, times in part.items():
                counts[value] += times
        return counts

    def countByKey(self: Actions[tuple[K, Any]]) -> dict[K, int]:
        """How many pairs each key has."""
        keys: RDD[K] = self._step("keys")
        return keys.countByValue()

    def collectAsMap(self: Actions[tuple[K, U]]) -> dict[K, U]:
        """The pairs as a dict; of several with one key the last stays."""
        return dict(self.collect())

    def lookup(self: Actions[tuple[K, U]], key: K) -> list[U]:
        """The values of one key."""
        return [value for found, value in self.collect() if found == key]

    def saveAsTextFile(self, path: str, compressionCodecClass: str | None = None) -> None:
        """Writes the elements as lines of text files in the new directory ``path``."""
        save_as_text(self._node, path, compressionCodecClass)
