"""What a worker of the bench says on its standard output, a line each.

    ready SHARD
    records SHARD COUNT BYTES [LATENCY_MS,…]

A latency is there for each record whose data is the time of its put, in nanoseconds.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable


def ready(shard: str) -> None:
    """A shard's processor has been initialized."""
    _say(f"ready {shard}")


def records(shard: str, data: Iterable[bytes], timed: bool) -> None:
    """Records have been processed."""
    now = time.time_ns()
    count = size = 0
    latencies = []
    for value in data:
        count += 1
        size += len(value)
        if timed:
            latencies.append(f"{(now - int(value)) / 1e6:.3f}")
    counted(shard, count, size, latencies)


def counted(shard: str, count: int, size: int, latencies: Iterable[str] = ()) -> None:
    """So many records of so many bytes have been processed."""
    _say(f"records {shard} {count} {size} {','.join(latencies)}")


def _say(line: str) -> None:
    # One write a line: processors are in threads.
    os.write(1, f"{line}\n".encode())
