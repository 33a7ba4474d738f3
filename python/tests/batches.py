"""What a stream gives, batch by batch."""

from __future__ import annotations

import queue
from typing import Any

from millstream.streaming import DStream

WAIT_S = 10


def elements(stream: DStream[Any], count: int) -> list[list[Any]]:
    collected: queue.Queue[list[Any]] = queue.Queue()
    stream.foreachRDD(lambda rdd: collected.put(sorted(rdd.collect())))
    stream.context().start()
    return [collected.get(timeout=WAIT_S) for _ in range(count)]
