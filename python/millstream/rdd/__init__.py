"""A light RDD: lazy, its partitions evaluated in order in this process, or by worker processes.

Names are loaded when they are first asked for: a worker process needs none of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from millstream.rdd.hashing import portable_hash
    from millstream.rdd.rdd import RDD
    from millstream.rdd.resultiterable import ResultIterable

__all__ = ["RDD", "ResultIterable", "portable_hash"]

_HOMES = {
    "RDD": "millstream.rdd.rdd",
    "ResultIterable": "millstream.rdd.resultiterable",
    "portable_hash": "millstream.rdd.hashing",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value
