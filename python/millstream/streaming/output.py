"""What output operations do with a batch."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from millstream.streaming.util import batch_time

if TYPE_CHECKING:
    from millstream.rdd import RDD

_RULE = "-" * 43


def print_batch(time_ms: int, rdd: RDD[Any], num: int) -> None:
    """Prints a batch as PySpark's ``pprint`` does, in one piece."""
    taken = rdd.take(num + 1)
    lines = [_RULE, f"Time: {batch_time(time_ms)}", _RULE, *map(str, taken[:num])]
    if len(taken) > num:
        lines.append("...")
    sys.stdout.write("\n".join([*lines, "", ""]))
    sys.stdout.flush()


def save_batch(time_ms: int, rdd: RDD[Any], prefix: str, suffix: str | None) -> None:
    """Saves a batch as text under a name made of the batch time."""
    ending = f".{suffix}" if suffix else ""
    rdd.saveAsTextFile(f"{prefix}-{time_ms}{ending}")
