"""Millstream: the streams of Amazon Kinesis, with the API of PySpark and without a JVM.

Names are loaded when they are first asked for, so that ``import millstream`` costs next to nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from millstream._version import __version__

if TYPE_CHECKING:
    from millstream.accumulators import Accumulator, AccumulatorParam
    from millstream.broadcast import Broadcast
    from millstream.conf import SparkConf
    from millstream.context import SparkContext
    from millstream.rdd import RDD
    from millstream.storagelevel import StorageLevel

__all__ = [
    "RDD",
    "Accumulator",
    "AccumulatorParam",
    "Broadcast",
    "SparkConf",
    "SparkContext",
    "StorageLevel",
    "__version__",
]

_HOMES = {
    "RDD": "millstream.rdd",
    "Accumulator": "millstream.accumulators",
    "AccumulatorParam": "millstream.accumulators",
    "Broadcast": "millstream.broadcast",
    "SparkConf": "millstream.conf",
    "SparkContext": "millstream.context",
    "StorageLevel": "millstream.storagelevel",
}


def _lazy(module: str, homes: dict[str, str]) -> Callable[[str], Any]:
    """A module's ``__getattr__`` that loads each name from its home when it is first asked for."""

    def load(name: str) -> Any:
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        value = getattr(import_module(home), name)
        setattr(sys.modules[module], name, value)
        return value

    return load


__getattr__ = _lazy(__name__, _HOMES)
