"""Files as datasets, one partition a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from millstream.errors import PySparkException
from millstream.rdd.partitions import Node


class Files(Node):
    """What ``read`` makes of each of some files."""

    label = "FileScanRDD"

    def __init__(self, paths: Sequence[str], read: Callable[[str], Iterable[Any]]) -> None:
        super().__init__(len(paths))
        self._paths = paths
        self._read = read

    def compute(self, index: int) -> Iterable[Any]:
        """The elements of one file."""
        return self._read(self._paths[index])


def text_lines(path: str) -> Iterator[str]:
    """The lines of a text file in UTF-8, without their ends. As in Hadoop, what is not UTF-8 becomes U+FFFD."""
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            yield line.removesuffix("\n")


def fixed_records(path: str, length: int) -> Iterator[bytes]:
    """The records of ``length`` bytes of a file, which has nothing else."""
    size = os.path.getsize(path)
    if size % length:
        raise PySparkException(f"{path} has {size} bytes, which is no multiple of the record length {length}")
    with open(path, "rb") as file:
        while record := file.read(length):
            yield record
