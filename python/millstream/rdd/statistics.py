"""Mean and deviation of an RDD of numbers, in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from math import nan, sqrt
from typing import Any

from millstream.rdd.base import T
from millstream.rdd.relations import RelationOperations


class StatCounter:
    """Count, mean, deviation and extremes of some numbers. Two counters are joined by the formulas of Chan et al."""

    def __init__(self, values: Iterable[Any] = ()) -> None:
        self.n = 0
        self.mu = 0.0
        self.m2 = 0.0
        self.maxValue: Any = float("-inf")
        self.minValue: Any = float("inf")
        for value in values:
            self.merge(value)

    def merge(self, value: Any) -> StatCounter:
        """Takes in a number."""
        delta = value - self.mu
        self.n += 1
        self.mu += delta / self.n
        self.m2 += delta * (value - self.mu)
        self.maxValue = max(self.maxValue, value)
        self.minValue = min(self.minValue, value)
        return self

    def mergeStats(self, other: StatCounter) -> StatCounter:
        """Takes in the numbers of another counter."""
        if other.n == 0:
            return self
        mine, others, total = self.n, other.n, self.n + other.n
        delta = other.mu - self.mu
        if others * 10 < mine:
            self.mu += delta * others / total
        elif mine * 10 < others:
            self.mu = other.mu - delta * mine / total
        else:
            self.mu = (self.mu * mine + other.mu * others) / total
        self.m2 += other.m2 + delta * delta * mine * others / total
        self.n = total
        self.maxValue = max(self.maxValue, other.maxValue)
        self.minValue = min(self.minValue, other.minValue)
        return self

    def count(self) -> int:
        """How many numbers."""
        return self.n

    def mean(self) -> float:
        """Their mean; 0 if there is none."""
        return float(self.mu)

    def sum(self) -> float:
        """Their sum."""
        return self.n * self.mu

    def min(self) -> Any:
        """The least; infinity if there is none."""
        return self.minValue

    def max(self) -> Any:
        """The greatest; minus infinity if there is none."""
        return self.maxValue

    def variance(self) -> float:
        """The variance of the numbers; nan if there is none."""
        return self.m2 / self.n if self.n else nan

    def sampleVariance(self) -> float:
        """The variance of what the numbers are a sample of; nan if there are less than two."""
        return self.m2 / (self.n - 1) if self.n > 1 else nan

    def stdev(self) -> float:
        """The square root of `variance`."""
        return sqrt(self.variance())

    def sampleStdev(self) -> float:
        """The square root of `sampleVariance`."""
        return sqrt(self.sampleVariance())

    def asDict(self, sample: bool = False) -> dict[str, float]:
        """All of it. As in PySpark, the deviations are those of a sample where ``sample`` is False."""
        return {
            "count": self.count(),
            "mean": self.mean(),
            "sum": self.sum(),
            "min": self.min(),
            "max": self.max(),
            "stdev": self.stdev() if sample else self.sampleStdev(),
            "variance": self.variance() if sample else self.sampleVariance(),
        }

    def __repr__(self) -> str:
        return (
            f"(count: {self.count()}, mean: {self.mean()}, stdev: {self.stdev()}, max: {self.max()}, min: {self.min()})"
        )


class Statistics(RelationOperations[T]):
    """Actions on numbers."""

    def stats(self) -> StatCounter:
        """Count, mean, deviation and extremes."""
        return reduce(StatCounter.mergeStats, self._partitions("apply", StatCounter), StatCounter())

    def histogram(self, buckets: int | Sequence[Any]) -> tuple[list[Any], list[int]]:
        """Bounds of buckets and the number of elements in each: of ``buckets`` even ones from the least element to the
        greatest, or of those with the bounds ``buckets``. A bucket has its lower bound, the last one both."""
        from millstream.rdd.histogram import histogram

        return histogram(self, buckets)

    def mean(self) -> float:
        """The mean; 0 if there is no element."""
        return self.stats().mean()

    def variance(self) -> float:
        """The variance of the elements; nan if there is none."""
        return self.stats().variance()

    def stdev(self) -> float:
        """The standard deviation of the elements; nan if there is none."""
        return self.stats().stdev()

    def sampleVariance(self) -> float:
        """The variance of what the elements are a sample of; nan if there are less than two."""
        return self.stats().sampleVariance()

    def sampleStdev(self) -> float:
        """The standard deviation of what the elements are a sample of; nan if there are less than two."""
        return self.stats().sampleStdev()
