"""Rows between a Spark cluster and this process."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from millstream.rdd.partitions import Node


class Collected(Node):
    """The rows of a ``pyspark.RDD``, brought here by one job when the first partition is asked for."""

    label = "Collected"

    def __init__(self, rdd: Any) -> None:
        super().__init__(rdd.getNumPartitions())
        self._rdd = rdd
        self._lists: list[list[Any]] | None = None

    def compute(self, index: int) -> Iterable[Any]:
        """Those of one partition."""
        if self._lists is None:
            self._lists = self._rdd.glom().collect()
            self._rdd = None
        return self._lists[index]
