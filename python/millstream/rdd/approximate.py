"""PySpark's approximate actions. Answers are exact here: a job on one machine ends before a guess is worth much."""

from __future__ import annotations

from typing import Any

from millstream.errors import PySparkValueError
from millstream.rdd.base import T
from millstream.rdd.columns import ColumnOperations


class BoundedFloat(float):
    """A number with the bounds between which it is."""

    confidence: float
    low: float
    high: float

    def __new__(cls, mean: float, confidence: float, low: float, high: float) -> BoundedFloat:
        made = super().__new__(cls, mean)
        made.confidence, made.low, made.high = confidence, low, high
        return made

    def __reduce__(self) -> Any:
        return BoundedFloat, (float(self), self.confidence, self.low, self.high)


class ApproximateActions(ColumnOperations[T]):
    """``timeout`` (milliseconds) is not read; ``confidence`` is given back."""

    def countApprox(self, timeout: int, confidence: float = 0.95) -> int:
        """The number of elements."""
        return self.count()

    def sumApprox(self, timeout: int, confidence: float = 0.95) -> BoundedFloat:
        """The sum of the elements."""
        return _exact(self.sum(), confidence)

    def meanApprox(self, timeout: int, confidence: float = 0.95) -> BoundedFloat:
        """The mean of the elements."""
        return _exact(self.mean(), confidence)

    def countApproxDistinct(self, relativeSD: float = 0.05) -> int:
        """The number of distinct elements."""
        if relativeSD < 0.000017:
            raise PySparkValueError("relativeSD should be greater than 0.000017")
        return self.distinct().count()


def _exact(value: float, confidence: float) -> BoundedFloat:
    return BoundedFloat(value, confidence, value, value)
