"""What keeps streams from running on Spark, said before they start."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from millstream._version import __version__
from millstream.errors import PySparkRuntimeError

#: The first release of Spark that is supported.
OLDEST = (4, 0)


def check_version(sc: Any) -> None:
    """Raises `PySparkRuntimeError` for a context that is none of a supported PySpark."""
    version = str(getattr(sc, "version", ""))
    if not hasattr(sc, "_jsc"):
        raise PySparkRuntimeError(
            f"a StreamingContext needs a SparkContext of millstream or of pyspark, not {type(sc).__name__}"
        )
    check_release(version)


def check_release(version: str) -> None:
    """Raises `PySparkRuntimeError` for a release of PySpark that is too old."""
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
    if numbers < OLDEST:
        raise PySparkRuntimeError(
            f"PySpark {version} is too old for streams on a cluster: install pyspark 4.0 or later, "
            "on the cluster too (pip install 'millstream[spark]')"
        )


def tell_of_speculation(sc: Any) -> None:
    """Says what speculation does to outputs, where it is on. What is read is not harmed by it."""
    if str(sc.getConf().get("spark.speculation", "false")).strip().lower() == "true":
        print(
            "millstream: spark.speculation is on: a partition may run twice at the same time. Its records count once, "
            "but what foreach and foreachPartition do outside of Spark may be done twice; set spark.speculation=false "
            "if that is not wanted",
            file=sys.stderr,
        )


def check_executors(sc: Any) -> None:
    """Raises `PySparkRuntimeError` when an executor that answers can't import this package, or has another version."""

    # A function in a function goes to executors with its code, not by the name of this module.
    def probe(_: Iterable[Any]) -> Iterator[str]:
        import socket
        import sys

        where = f"{socket.gethostname()}, {sys.executable}"
        try:
            import millstream._millstream as native
        except ImportError as error:
            yield f"{where}: {error}"
        else:
            if native.__version__ != expected:
                yield f"{where}: version {native.__version__}"

    expected = __version__
    slots = sc.defaultParallelism
    found = sorted(set(sc.parallelize(range(slots), slots).mapPartitions(probe).collect()))
    if found:
        raise PySparkRuntimeError(
            f"millstream {expected} is not on all executors ({'; '.join(found)}): install the wheel there, or give it "
            "to submit by --py-files millstream-VERSION.whl, or in a packed environment; see docs/cluster.md"
        )
