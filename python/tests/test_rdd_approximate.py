"""What PySpark approximates, samples by key, and jobs on some partitions. The expected values are PySpark 4.3.0's."""

from __future__ import annotations

from typing import Any

import pytest
from raising import raises_in_task

from millstream import RDD, SparkContext
from millstream.rdd.approximate import BoundedFloat

PAIRS = [("a", 1), ("b", 2), ("a", 3), ("c", 4)]
FRACTIONS = {"a": 0.3, "b": 0.0, "c": 1.0}


@pytest.fixture
def pairs(sc: SparkContext) -> RDD[tuple[str, int]]:
    return sc.parallelize(PAIRS * 20, 2)


def values(rdd: RDD[tuple[str, int]]) -> str:
    return "".join(str(value) for value in rdd.values().collect())


def test_a_sample_by_key_is_pysparks(pairs: RDD[tuple[str, int]]) -> None:
    assert values(pairs.sampleByKey(False, FRACTIONS, 7)) == "13414413441344434141434434344144344"
    assert values(pairs.sampleByKey(True, FRACTIONS, 7)) == "444444434344443441133344134"


def test_a_sample_by_key_needs_a_fraction_for_each(pairs: RDD[tuple[str, int]]) -> None:
    with pytest.raises(AssertionError, match="Negative fraction value: -1"):
        pairs.sampleByKey(False, {"a": -1})
    with raises_in_task(KeyError):
        pairs.sampleByKey(False, {"a": 1.0}).collect()


def test_approximate_actions_are_exact(pairs: RDD[tuple[str, int]]) -> None:
    numbers = pairs.values()
    assert (pairs.countApprox(1), numbers.countApproxDistinct()) == (80, 4)
    total: BoundedFloat = numbers.sumApprox(1, 0.9)
    assert (total, total.low, total.high, total.confidence) == (200.0, 200.0, 200.0, 0.9)
    assert numbers.meanApprox(1) == pytest.approx(2.5)
    with pytest.raises(ValueError, match=r"relativeSD should be greater than 0\.000017"):
        numbers.countApproxDistinct(0.00001)


def test_jobs_on_some_partitions(pairs: RDD[tuple[str, int]]) -> None:
    def total(rows: Any) -> list[int]:
        return [sum(value for _, value in rows)]

    assert pairs.ctx.runJob(pairs, total) == [100, 100]
    assert pairs.ctx.runJob(pairs, total, [1]) == [100]
    assert pairs.mapPartitionsWithSplit(lambda index, rows: [index]).collect() == [0, 1]
