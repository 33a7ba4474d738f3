"""How many elements lie between given bounds, by the rules of PySpark's ``histogram``."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import partial
from math import isinf, isnan
from operator import add
from typing import Any

from millstream.errors import PySparkTypeError, PySparkValueError
from millstream.rdd.actions import Actions


def histogram(rdd: Actions[Any], buckets: int | Sequence[Any]) -> tuple[list[Any], list[int]]:
    """The bounds and the counts between them; each bucket has its lower bound, the last one both."""
    bounds = _even_bounds(rdd, buckets) if isinstance(buckets, int) else _checked(buckets)
    counted = rdd._partitions("apply", partial(_count, bounds))
    counts = [0] * (len(bounds) - 1)
    for part in counted:
        counts = list(map(add, counts, part))
    return bounds, counts


def _even_bounds(rdd: Actions[Any], buckets: int) -> list[Any]:
    if buckets < 1:
        raise PySparkValueError("number of buckets must be >= 1")
    ends: list[tuple[Any, Any]] = [end for end in rdd._partitions("apply", _ends) if end is not None]
    if not ends:
        raise PySparkValueError("can not generate buckets from empty RDD")
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    if not isinstance(low, (int, float)) or not isinstance(high, (int, float)):
        if buckets == 1 or low == high:
            return [low, high]
        raise PySparkTypeError("Can not generate buckets with non-number in RDD")
    if isinf(low) or isinf(high):
        raise PySparkValueError("Can not generate buckets with infinite value")
    if buckets == 1 or low == high:
        return [low, high]
    step: float = (high - low) // buckets
    if step * buckets != high - low:
        step = (high - low) / buckets
    return [*(low + number * step for number in range(buckets)), high]


def _checked(buckets: Any) -> list[Any]:
    if not isinstance(buckets, (list, tuple)):
        raise PySparkTypeError("buckets should be a list or tuple or number(int or long)")
    if len(buckets) < 2:
        raise PySparkValueError("should have more than one bucket")
    if any(bound is None or _is_nan(bound) for bound in buckets):
        raise PySparkValueError("can not have None or NaN in buckets")
    if sorted(buckets) != list(buckets):
        raise PySparkValueError("buckets should be sorted")
    if len(set(buckets)) < len(buckets):
        raise PySparkValueError("buckets should not contain duplicated values")
    return list(buckets)


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and isnan(value)


def _counts(value: Any) -> bool:
    return value is not None and not _is_nan(value)


def _ends(rows: Iterable[Any]) -> tuple[Any, Any] | None:
    found = None
    for row in filter(_counts, rows):
        found = (row, row) if found is None else (min(found[0], row), max(found[1], row))
    return found


def _count(bounds: list[Any], rows: Iterable[Any]) -> list[int]:
    last = len(bounds) - 2
    counts = [0] * (last + 1)
    for row in filter(_counts, rows):
        if bounds[0] <= row <= bounds[-1]:
            counts[min(bisect_right(bounds, row) - 1, last)] += 1
    return counts
