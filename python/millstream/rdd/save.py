"""Writing a dataset as text files in a directory, the way Hadoop names them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import IO, TYPE_CHECKING, Any

from millstream.errors import IllegalArgumentException, PySparkException

if TYPE_CHECKING:
    from millstream.rdd.actions import Actions

_GZIP = "org.apache.hadoop.io.compress.GzipCodec"


class FileAlreadyExistsException(PySparkException, FileExistsError):
    """The output directory is there already."""


def save_as_text(rdd: Actions[Any], path: str, codec: str | None) -> None:
    """Writes one ``part-NNNNN`` file a partition, one line an element, and ``_SUCCESS``."""
    if codec not in (None, _GZIP):
        raise IllegalArgumentException(f"compression codec {codec} is not served: use {_GZIP} or none")
    save(rdd, path, partial(_write_lines, codec))


def save(rdd: Actions[Any], path: str, write: Callable[[str, Iterable[Any]], None]) -> None:
    """Lets ``write(file name, rows)`` write a file for each partition, in the process that has the rows.

    The directory appears complete or not at all: it is written beside ``path`` and renamed at the end.
    """
    target = local_path(path)
    if os.path.exists(target):
        raise FileAlreadyExistsException(f"Output directory file:{os.path.abspath(target)} already exists")
    parent, name = os.path.split(os.path.abspath(target))
    staging = os.path.join(parent, f".{name}.{os.getpid()}.tmp")
    os.makedirs(staging)
    try:
        rdd.mapPartitionsWithIndex(partial(_write_part, staging, write)).count()
        open(os.path.join(staging, "_SUCCESS"), "wb").close()
        os.rename(staging, target)
    except BaseException:
        import shutil

        shutil.rmtree(staging, ignore_errors=True)
        raise


def local_path(path: str) -> str:
    """The path of a local file name or ``file:`` URL; other file systems are refused."""
    scheme, colon, rest = path.partition(":")
    if not colon or "/" in scheme:
        return path
    if scheme != "file":
        raise IllegalArgumentException(f"cannot use {path}: only local paths and file: URLs are served")
    return "/" + rest.lstrip("/") if rest.startswith("/") else rest


def _write_part(
    directory: str, write: Callable[[str, Iterable[Any]], None], index: int, rows: Iterable[Any]
) -> Iterable[Any]:
    write(os.path.join(directory, f"part-{index:05d}"), rows)
    return ()


def _write_lines(codec: str | None, name: str, rows: Iterable[Any]) -> None:
    with _open(name, codec) as part:
        part.writelines(_lines(rows))


def _open(name: str, codec: str | None) -> IO[bytes]:
    if codec is None:
        return open(name, "wb")
    import gzip

    return gzip.open(f"{name}.gz", "wb")  # type: ignore[return-value]


def _lines(rows: Iterable[Any]) -> Iterator[bytes]:
    for row in rows:
        data = row if isinstance(row, bytes) else str(row).encode("utf-8")
        yield data + b"\n"
