"""A stream of the files that appear in a directory (the rules of Spark's `FileInputDStream`)."""

from __future__ import annotations

import glob
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from millstream.rdd.save import local_path
from millstream.streaming.source import Source

if TYPE_CHECKING:
    from millstream.rdd import RDD
    from millstream.streaming.datasets import Datasets


def is_visible(path: str) -> bool:
    """Whether a file's name begins with neither a dot nor an underscore."""
    return not os.path.basename(path).startswith((".", "_"))


class DirectorySource(Source):
    """Gives each batch the files that were modified after the start and no later than the batch's time.

    A file should be complete when it appears: it is to be moved into the directory. Its name is remembered for
    ``remember_ms``, so that it is given once; a file that turns up with an older time is not seen.
    """

    def __init__(
        self,
        datasets: Datasets,
        directory: str,
        remember_ms: int,
        read: Callable[[str], Iterable[Any]],
        accepts: Callable[[str], Any] = is_visible,
        new_only: bool = True,
    ) -> None:
        """``accepts`` is asked for each path; without ``new_only``, files of the last ``remember_ms`` before the start
        are given too."""
        self.label = f"files of {directory}"
        self._datasets = datasets
        self._pattern = local_path(directory)
        self._remember_ms = remember_ms
        self._read = read
        self._accepts = accepts
        self._new_only = new_only
        self._started_ms = 0
        #: Of each file given to a batch, the time of that batch.
        self._given: dict[str, int] = {}

    def start(self) -> None:
        """What is in the directory now is no part of the stream, if only new files are."""
        if self._new_only:
            self._started_ms = int(time.time() * 1000)

    def cut(self, time_ms: int) -> tuple[RDD[Any], int]:
        """The batch's files, in the order of their names. Records are not counted before they are read."""
        oldest_ms = max(self._started_ms, time_ms - self._remember_ms)
        self._given = {path: at for path, at in self._given.items() if at > time_ms - self._remember_ms}
        found = []
        for path, modified_ms in self._files():
            if oldest_ms < modified_ms <= time_ms and path not in self._given and self._accepts(path):
                found.append(path)
                self._given[path] = time_ms
        return self._datasets.of_files(sorted(found), self._read), 0

    def _files(self) -> Iterator[tuple[str, int]]:
        """The files of the directory, or of all directories that the pattern names, with their times in ms."""
        for directory in glob.glob(self._pattern):
            try:
                with os.scandir(directory) as entries:
                    for entry in entries:
                        if entry.is_file():
                            yield entry.path, entry.stat().st_mtime_ns // 1_000_000
            except OSError as error:
                # It may be gone by now; the next batch looks again.
                print(f"millstream: can't look for new files in {directory}: {error}", file=sys.stderr)
