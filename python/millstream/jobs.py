"""What a context does with jobs: runs them, describes them, ends them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from millstream.rdd import RDD
    from millstream.rdd.running import Runner

T = TypeVar("T")
U = TypeVar("U")


class JobControl:
    """Properties describe; they change nothing."""

    _properties: dict[str, str]
    _runner: Runner

    def setLocalProperty(self, key: str, value: str | None) -> None:
        """Sets a property of the jobs to come, or removes it with None."""
        if value is None:
            self._properties.pop(key, None)
        else:
            self._properties[key] = value

    def getLocalProperty(self, key: str) -> str | None:
        """A property set by `setLocalProperty`."""
        return self._properties.get(key)

    def setJobDescription(self, value: str) -> None:
        """Describes the jobs to come."""
        self.setLocalProperty("spark.job.description", value)

    def runJob(
        self,
        rdd: RDD[T],
        partitionFunc: Callable[[Iterator[T]], Iterable[U]],
        partitions: Sequence[int] | None = None,
        allowLocal: bool = False,
    ) -> list[U]:
        """What ``partitionFunc`` makes of some partitions, by default of all, in one list."""
        indices = range(rdd.getNumPartitions()) if partitions is None else partitions
        return list(chain.from_iterable(rdd._some_partitions(indices, "apply", partial(_listed, partitionFunc))))

    def cancelAllJobs(self) -> None:
        """Ends the jobs that run in worker processes: they raise `SparkRuntimeException` in their threads."""
        self._runner.cancel()


def _listed(function: Callable[[Iterator[T]], Iterable[U]], rows: Iterator[T]) -> list[U]:
    return list(function(rows))
