"""The RDDs that a context makes of files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from millstream.context import SparkContext
    from millstream.rdd import RDD


class FileReaders:
    """A path may be several, separated by commas, and have patterns; a directory means the files in it.

    An RDD has one partition a file: ``minPartitions`` changes nothing.
    """

    def textFile(self, name: str, minPartitions: int | None = None, use_unicode: bool = True) -> RDD[Any]:
        """The lines of text files; as bytes without ``use_unicode``."""
        from millstream.rdd.files import text_lines

        lines = self._files(name, text_lines)
        return lines if use_unicode else lines.map(str.encode)

    def wholeTextFiles(
        self, path: str, minPartitions: int | None = None, use_unicode: bool = True
    ) -> RDD[tuple[str, Any]]:
        """Pairs of each file's name, as a ``file:`` URL, and its text; as bytes without ``use_unicode``."""
        files = self.binaryFiles(path)
        return files.mapValues(lambda data: data.decode("utf-8", "replace")) if use_unicode else files

    def binaryFiles(self, path: str, minPartitions: int | None = None) -> RDD[tuple[str, bytes]]:
        """Pairs of each file's name, as a ``file:`` URL, and its bytes."""
        return self._files(path, _named_bytes)

    def binaryRecords(self, path: str, recordLength: int) -> RDD[bytes]:
        """The records of ``recordLength`` bytes of files."""
        from millstream.rdd.files import fixed_records

        return self._files(path, fixed_records(recordLength))

    def pickleFile(self, name: str, minPartitions: int | None = None) -> RDD[Any]:
        """The elements that `RDD.saveAsPickleFile` has written."""
        from millstream.rdd.pickles import pickled_rows

        return self._files(name, pickled_rows)

    def _files(self, path: str, read: Callable[[str], Iterable[Any]]) -> RDD[Any]:
        from millstream.rdd import RDD
        from millstream.rdd.files import Files, files_of

        return RDD(Files(files_of(path), read), cast("SparkContext", self))


def _named_bytes(path: str) -> list[tuple[str, bytes]]:
    with open(path, "rb") as file:
        return [(f"file:{os.path.abspath(path)}", file.read())]
