"""The cluster that the other tests run on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cluster import Cluster
    from pyspark.sql import SparkSession


def test_both_workers_run_executors_that_have_our_wheel(cluster: Cluster, spark: SparkSession) -> None:
    def version(_: Iterator[int]) -> Iterator[tuple[int, str]]:
        import millstream

        yield os.getppid(), millstream.__version__

    import millstream

    answers = spark.sparkContext.parallelize(range(2), 2).mapPartitions(version).collect()
    assert {answer[1] for answer in answers} == {millstream.__version__}
    assert len(cluster.executors()) == 2
