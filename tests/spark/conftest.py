"""What the tests on real Apache Spark share: a standalone cluster of a master and two workers, and sessions on it.

They run in `.spark`, which has PySpark and our wheel (`make test-spark`); elsewhere `tests/conftest.py` omits them.
The local service and what feeds it is in `tests/conftest.py`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from applications import Applications
    from cluster import Cluster
    from pyspark.sql import SparkSession


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A master and two workers of two cores each: room for two applications with a core on each worker."""
    from cluster import start_cluster

    cluster = start_cluster(tmp_path_factory.mktemp("cluster"), workers=2)
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def spark(cluster: Cluster) -> Iterator[SparkSession]:
    """One session of this process on the cluster; its executors are there as long as the tests run."""
    from cluster import CONF, spark_environment
    from pyspark.sql import SparkSession

    os.environ.update(spark_environment())
    builder = SparkSession.builder.master(cluster.url).appName("tests")
    for key, value in CONF.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    yield session
    session.stop()


@pytest.fixture
def applications(cluster: Cluster, tmp_path: Path) -> Iterator[Applications]:
    """Programs that this test submits to the cluster."""
    from applications import Applications

    made = Applications(cluster, tmp_path)
    yield made
    made.end()
