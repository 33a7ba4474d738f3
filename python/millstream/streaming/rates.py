"""What streams read of the `SparkConf` on how fast inputs are taken from, with Spark's names and defaults."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from millstream.errors import IllegalArgumentException
from millstream.streaming.settings import flag

if TYPE_CHECKING:
    from millstream.conf import SparkConf

_BACKPRESSURE = "spark.streaming.backpressure"

#: The rate to begin with if there is one, then the weights of the error, of what waits and of the error's change, and
#: the least rate.
Backpressure = tuple[float | None, float, float, float, float]


def max_rate(conf: SparkConf) -> float | None:
    """``spark.streaming.receiver.maxRate``: records a second of one input; 0 and less are no limit."""
    return _rate(conf, "spark.streaming.receiver.maxRate")


def backpressure(conf: SparkConf) -> Backpressure | None:
    """The settings under ``spark.streaming.backpressure``, if it is enabled."""
    if not flag(conf, f"{_BACKPRESSURE}.enabled"):
        return None
    estimator = conf.get(f"{_BACKPRESSURE}.rateEstimator", "pid")
    if estimator != "pid":
        raise IllegalArgumentException(f"Unknown rate estimator: {estimator}")
    weights = [
        _number(conf, f"{_BACKPRESSURE}.pid.{name}", default, 0.0)
        for name, default in (("proportional", 1.0), ("integral", 0.2), ("derived", 0.0))
    ]
    least = _number(conf, f"{_BACKPRESSURE}.pid.minRate", 100.0, math.ulp(0.0))
    return _rate(conf, f"{_BACKPRESSURE}.initialRate"), *weights, least  # type: ignore[return-value]


def _rate(conf: SparkConf, key: str) -> float | None:
    rate = _number(conf, key, 0.0, -math.inf)
    return rate if rate > 0 else None


def _number(conf: SparkConf, key: str, default: float, least: float) -> float:
    text = conf.get(key)
    if text is None:
        return default
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not least <= number < math.inf:
        raise IllegalArgumentException(f"{key}={text} is not a number{' of 0 or more' if least == 0 else ''}")
    return number
