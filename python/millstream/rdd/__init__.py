"""A light RDD: lazy, its partitions evaluated in order in this process, or by worker processes.

Names are loaded when they are first asked for: a worker process needs none of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from millstream import _lazy

if TYPE_CHECKING:
    from millstream.rdd.hashing import portable_hash
    from millstream.rdd.rdd import RDD
    from millstream.rdd.resultiterable import ResultIterable

__all__ = ["RDD", "ResultIterable", "portable_hash"]

__getattr__ = _lazy(
    __name__,
    {
        "RDD": "millstream.rdd.rdd",
        "ResultIterable": "millstream.rdd.resultiterable",
        "portable_hash": "millstream.rdd.hashing",
    },
)
