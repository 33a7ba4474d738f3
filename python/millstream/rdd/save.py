"""Writing a dataset as text files in a directory, the way Hadoop names them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import IO, TYPE_CHECKING, Any

from millstream.errors import IllegalArgumentException, PySparkException
from millstream.rdd.partitions import drain

if TYPE_CHECKING:
    from millstream.rdd.partitions import Node

_GZIP = "org.apache.hadoop.io.compress.GzipCodec"


class FileAlreadyExistsException(PySparkException, FileExistsError):
    """The output directory is there already."""


def save_as_text(node: Node, path: str, codec: str | None) -> None:
    """Writes one ``part-NNNNN`` file a partition, one line an element, and ``_SUCCESS``.

    The directory appears complete or not at all: it is written beside ``path`` and renamed at the end.
    """
    target = local_path(path)
    if codec not in (None, _GZIP):
        raise IllegalArgumentException(f"compression codec {codec} is not served: use {_GZIP} or none")
    if os.path.exists(target):
        raise FileAlreadyExistsException(f"Output directory file:{os.path.abspath(target)} already exists")
    parent, name = os.path.split(os.path.abspath(target))
    staging = os.path.join(parent, f".{name}.{os.getpid()}.tmp")
    os.makedirs(staging)
    try:
        for index in range(node.partitions):
            with _open_part(staging, index, codec) as part:
                part.writelines(_lines(drain(node, index, "rows")))
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


def _open_part(directory: str, index: int, codec: str | None) -> IO[bytes]:
    name = os.path.join(directory, f"part-{index:05d}")
    if codec is None:
        return open(name, "wb")
    import gzip

    return gzip.open(f"{name}.gz", "wb")  # type: ignore[return-value]


def _lines(rows: Iterable[Any]) -> Iterator[bytes]:
    for row in rows:
        data = row if isinstance(row, bytes) else str(row).encode("utf-8")
        yield data + b"\n"
