"""Files as datasets, one partition a file."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from millstream.errors import IllegalArgumentException, PySparkException
from millstream.rdd.partitions import Node
from millstream.rdd.save import local_path


class Files(Node):
    """What ``read`` makes of each of some files."""

    label = "FileScanRDD"
    narrow = True

    def __init__(self, paths: Sequence[str], read: Callable[[str], Iterable[Any]]) -> None:
        super().__init__(len(paths))
        self._paths = paths
        self._read = read

    def compute(self, index: int) -> Iterable[Any]:
        """The elements of one file."""
        return self._read(self._paths[index])


def files_of(path: str) -> list[str]:
    """The files that a path means, in the order of their names: of several separated by commas, of patterns, and of
    directories, whose hidden files (`.x`, `_x`) do not count and which may hold no directory."""
    found = []
    for one in path.split(","):
        local = local_path(one)
        places = sorted(glob.glob(local))
        if not places:
            kind = (
                "Input Pattern file:{} matches 0 files"
                if glob.has_magic(local)
                else "Input path does not exist: file:{}"
            )
            raise PySparkException(kind.format(os.path.abspath(local)))
        for place in places:
            found += _files_in(place) if os.path.isdir(place) else [place]
    return found


def _files_in(directory: str) -> list[str]:
    names = sorted(name for name in os.listdir(directory) if not name.startswith((".", "_")))
    paths = [os.path.join(directory, name) for name in names]
    for path in paths:
        if os.path.isdir(path):
            raise PySparkException(f"Path: {path} is a directory, which is not supported in the directory read")
    return paths


def text_lines(path: str) -> Iterator[str]:
    """The lines of a text file in UTF-8, without their ends. As in Hadoop, what is not UTF-8 becomes U+FFFD."""
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            yield line.removesuffix("\n")


def fixed_records(length: int) -> Callable[[str], Iterator[bytes]]:
    """What reads the records of ``length`` bytes of a file, which has nothing else."""
    if length < 1:
        raise IllegalArgumentException(f"recordLength must be at least 1, not {length}")
    return partial(_fixed_records, length=length)


def _fixed_records(path: str, length: int) -> Iterator[bytes]:
    size = os.path.getsize(path)
    if size % length:
        raise PySparkException(f"{path} has {size} bytes, which is no multiple of the record length {length}")
    with open(path, "rb") as file:
        while record := file.read(length):
            yield record
