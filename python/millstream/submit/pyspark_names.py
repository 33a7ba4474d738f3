"""The import names of PySpark, for the program that ``submit`` runs and for no other process."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, cast

from millstream._version import PYSPARK_API, __version__

if TYPE_CHECKING:
    from importlib.abc import Loader

#: PySpark's modules, and the modules here whose ``__all__`` (or listed names) they offer.
_MODULES: dict[str, dict[str, str]] = {
    "pyspark": {
        "millstream": "RDD Accumulator AccumulatorParam Broadcast SparkConf SparkContext StorageLevel",
    },
    "pyspark.accumulators": {"millstream.accumulators": "Accumulator AccumulatorParam"},
    "pyspark.broadcast": {"millstream.broadcast": "Broadcast"},
    "pyspark.conf": {"millstream.conf": "SparkConf"},
    "pyspark.context": {"millstream.context": "SparkContext"},
    "pyspark.errors": {
        "millstream.errors": """AnalysisException IllegalArgumentException PySparkException
            PySparkImportError PySparkNotImplementedError PySparkRuntimeError PySparkTypeError PySparkValueError
            PythonException SparkRuntimeException StreamingQueryException UnsupportedOperationException""",
    },
    "pyspark.rdd": {"millstream.rdd": "RDD portable_hash"},
    "pyspark.resultiterable": {"millstream.rdd": "ResultIterable"},
    "pyspark.sql": {"millstream.sql": "Row SparkSession"},
    "pyspark.sql.session": {"millstream.sql": "SparkSession"},
    "pyspark.storagelevel": {"millstream.storagelevel": "StorageLevel"},
    "pyspark.streaming": {
        "millstream.streaming": "DStream Receiver State StateSpec StreamingContext StreamingListener",
    },
    "pyspark.streaming.context": {"millstream.streaming": "StreamingContext"},
    "pyspark.streaming.dstream": {"millstream.streaming": "DStream"},
    "pyspark.streaming.listener": {"millstream.streaming": "StreamingListener"},
    "pyspark.streaming.kinesis": {
        "millstream.streaming.kinesis": "InitialPositionInStream KinesisUtils MetricsLevel utf8_decoder",
    },
}

_PACKAGES = ("pyspark", "pyspark.sql", "pyspark.streaming")

#: Modules that are sqlframe's, from the extra ``sql``.
_SQLFRAME = {
    "pyspark.sql.functions": "sqlframe.duckdb.functions",
    "pyspark.sql.types": "sqlframe.duckdb.types",
    "pyspark.sql.window": "sqlframe.duckdb.window",
}


class _PySparkFinder:
    """Finds and loads ``pyspark`` and what is below it, before any PySpark that may be installed.

    It has the methods of ``importlib.abc``, which itself would import a good part of the standard library.
    """

    def __init__(self, below: str) -> None:
        """``below``: the module that it finds with all that is below it. What is not, the installed PySpark has."""
        self.below = below

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self.below and not fullname.startswith(f"{self.below}."):
            return None
        if fullname in _SQLFRAME:
            return ModuleSpec(fullname, cast("Loader", self))
        if fullname not in _MODULES:
            raise ModuleNotFoundError(
                f"{fullname} is not in Millstream, which provides pyspark, pyspark.sql, "
                "pyspark.streaming and pyspark.streaming.kinesis",
                name=fullname,
            )
        return ModuleSpec(fullname, cast("Loader", self), is_package=fullname in _PACKAGES)

    def create_module(self, spec: ModuleSpec) -> None:
        """Leaves it to Python to make the module object."""

    def exec_module(self, module: ModuleType) -> None:
        if module.__name__ in _SQLFRAME:
            module.__dict__.update(vars(import_module(_SQLFRAME[module.__name__])))
            return
        names: list[str] = []
        for home, listed in _MODULES[module.__name__].items():
            source = import_module(home)
            for name in listed.split():
                setattr(module, name, getattr(source, name))
                names.append(name)
        module.__dict__["__all__"] = names
        if module.__name__ == "pyspark":
            module.__dict__["__version__"] = f"{PYSPARK_API}+millstream.{__version__}"


def provides_pyspark() -> bool:
    """Whether ``import pyspark`` means Millstream in this process."""
    return any(isinstance(finder, _PySparkFinder) and finder.below == "pyspark" for finder in sys.meta_path)


def provide_pyspark() -> None:
    """Makes ``import pyspark`` mean Millstream in this process. Called twice, it changes nothing more."""
    if not provides_pyspark():
        sys.meta_path.insert(0, _PySparkFinder("pyspark"))


def provide_streaming() -> None:
    """Makes ``pyspark.streaming`` alone mean Millstream in this process: contexts and RDDs are those of the installed
    PySpark, here as on the executors."""
    sys.meta_path.insert(0, _PySparkFinder("pyspark.streaming"))
