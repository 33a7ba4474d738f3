"""The hash that decides which partition a key goes to: the same in every process."""

from __future__ import annotations

import sys
from collections.abc import Hashable
from zlib import crc32


def portable_hash(x: Hashable) -> int:
    """A hash of ``x`` that does not depend on the process.

    Numbers and tuples hash as in PySpark. Python's own hash of strings differs from process to process unless
    ``PYTHONHASHSEED`` is set, which PySpark insists on; here strings and bytes hash by CRC-32 and need no setting.
    """
    if x is None:
        return 0
    if isinstance(x, str):
        return crc32(x.encode("utf-8", "surrogatepass"))
    if isinstance(x, bytes):
        return crc32(x)
    if isinstance(x, tuple):
        mixed = 0x345678
        for item in x:
            mixed = ((mixed ^ portable_hash(item)) * 1000003) & sys.maxsize
        mixed ^= len(x)
        return -2 if mixed == -1 else mixed
    return hash(x)
