"""Master URLs: of this machine, where Millstream runs the program, and of clusters, where Spark runs its batches."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from millstream.errors import IllegalArgumentException

_LOCAL = re.compile(r"local(?:\[(?P<cores>\*|[1-9][0-9]*)(?:,(?P<failures>[1-9][0-9]*))?\])?")


_CLUSTER = re.compile(r"spark://.+|k8s://.+|yarn|local-cluster\[\s*[0-9]+\s*,\s*[0-9]+\s*,\s*[0-9]+\s*\]")


def is_cluster(master: str) -> bool:
    """Whether the URL is that of a cluster of Apache Spark: standalone, YARN, Kubernetes, or one for tests."""
    return _CLUSTER.fullmatch(master) is not None


class Master(NamedTuple):
    """What a master URL says: how many partitions are computed at a time, and so a job has by default, and how often a
    task may run whose function raises."""

    cores: int
    failures: int


def parse(master: str) -> Master:
    """``local``: one core; ``local[N]``: N; ``local[*]``: the number of processors; ``local[N,F]``: F failures.

    Raises `IllegalArgumentException` for a master that is not local.
    """
    match = _LOCAL.fullmatch(master)
    if match is None:
        raise IllegalArgumentException(
            f"master {master!r} cannot be served: this context runs the program on one machine, use local, local[N] or "
            "local[*]; for a cluster, make a pyspark.SparkContext, or run the program by millstream submit --master"
        )
    cores = match["cores"]
    return Master((os.cpu_count() or 1) if cores == "*" else int(cores or 1), int(match["failures"] or 1))
