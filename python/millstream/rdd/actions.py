"""Operations that compute a result from an RDD."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from copy import deepcopy
from functools import partial, reduce
from heapq import nlargest, nsmallest
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, TypeVar

from millstream.rdd.base import T
from millstream.rdd.save import save_as_text
from millstream.rdd.transformations import Transformations
from millstream.taskstate import check_on_driver

if TYPE_CHECKING:
    from millstream.rdd.rdd import RDD

U = TypeVar("U")
K = TypeVar("K", bound=Hashable)


class Actions(Transformations[T]):
    """Each action evaluates the partitions it needs, in order."""

    def _partitions(self, sink: str, *functions: Callable[..., Any]) -> Iterator[Any]:
        """What a sink of `fuse` makes of each partition."""
        return self._some_partitions(range(self._node.partitions), sink, *functions)

    def _some_partitions(self, indices: Sequence[int], sink: str, *functions: Callable[..., Any]) -> Iterator[Any]:
        check_on_driver()
        self.ctx._checkpoints.write(self._node)
        return self.ctx._runner.run(self._node, indices, sink, *functions)

    def collect(self) -> list[T]:
        """All elements, by partition."""
        rows: list[T] = []
        for part in self._partitions("list"):
            rows += part
        return rows

    def toLocalIterator(self, prefetchPartitions: bool = False) -> Iterator[T]:
        """An iterator over all elements that evaluates a partition when it gets there."""
        check_on_driver()
        self.ctx._checkpoints.write(self._node)
        for index in range(self._node.partitions):
            yield from self.ctx._runner.rows(self._node, index)

    def take(self, num: int) -> list[T]:
        """The first ``num`` elements; evaluates one partition, and then four times as many again and again until they
        are found."""
        found: list[T] = []
        tried, trying = 0, 1
        while len(found) < num and tried < self._node.partitions:
            indices = range(tried, min(tried + trying, self._node.partitions))
            for part in self._some_partitions(indices, "apply", partial(_first, num - len(found))):
                found += part
                if len(found) >= num:
                    break
            tried, trying = indices.stop, trying * 4
        return found[: max(num, 0)]

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
        for _ in self._partitions("apply", partial(_exhaust, f)):
            pass

    def reduce(self, f: Callable[[T, T], T]) -> T:
        """The elements joined by ``f``, first within each partition; ValueError if there is none."""
        parts: list[T] = [value for found in self._partitions("reduce", f) for value in found]
        if not parts:
            raise ValueError("Can not reduce() empty RDD")
        return reduce(f, parts)

    def fold(self, zeroValue: T, op: Callable[[T, T], T]) -> T:
        """Like `reduce`, beginning with ``zeroValue`` in each partition and for the partitions' results."""
        return self.aggregate(zeroValue, op, op)

    def aggregate(self, zeroValue: U, seqOp: Callable[[U, T], U], combOp: Callable[[U, U], U]) -> U:
        """Joins elements into a value of another type within partitions by ``seqOp``, then these by ``combOp``.

        Every partition begins with its own copy of ``zeroValue``, which the functions may change.
        """
        parts = self._partitions("apply", lambda rows: reduce(seqOp, rows, deepcopy(zeroValue)))
        return reduce(combOp, parts, zeroValue)

    def sum(self) -> Any:
        """The sum of the elements, 0 if there is none."""
        return sum(self._partitions("apply", sum))

    def max(self, key: Callable[[T], Any] | None = None) -> T:
        """The greatest element; ValueError if there is none."""
        return self.reduce(lambda a, b: max(a, b, key=key))  # type: ignore[arg-type]

    def min(self, key: Callable[[T], Any] | None = None) -> T:
        """The least element; ValueError if there is none."""
        return self.reduce(lambda a, b: min(a, b, key=key))  # type: ignore[arg-type]

    def top(self, num: int, key: Callable[[T], Any] | None = None) -> list[T]:
        """The ``num`` greatest elements, greatest first."""
        parts = self._partitions("apply", partial(nlargest, num, key=key))
        return nlargest(num, chain.from_iterable(parts), key=key)

    def takeOrdered(self, num: int, key: Callable[[T], Any] | None = None) -> list[T]:
        """The ``num`` least elements, least first."""
        parts = self._partitions("apply", partial(nsmallest, num, key=key))
        return nsmallest(num, chain.from_iterable(parts), key=key)

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
        return self.filter(lambda pair: pair[0] == key)._step("values").collect()

    def saveAsTextFile(self, path: str, compressionCodecClass: str | None = None) -> None:
        """Writes the elements as lines of text files in the new directory ``path``."""
        save_as_text(self, path, compressionCodecClass)

    def saveAsPickleFile(self, path: str, batchSize: int = 10) -> None:
        """Writes the elements as pickles in the new directory ``path``, for `SparkContext.pickleFile`.

        The files are not Spark's, which are Hadoop sequence files. ``batchSize`` changes nothing.
        """
        from millstream.rdd.pickles import save_pickled

        save_pickled(self, path)


def _first(num: int, rows: Iterator[T]) -> list[T]:
    return list(islice(rows, num))


def _exhaust(function: Callable[[Iterator[T]], Any], rows: Iterator[T]) -> None:
    result = function(rows)
    if isinstance(result, Iterable):
        for _ in result:
            pass
