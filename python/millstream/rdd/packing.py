"""Rows and functions as bytes, for the way between processes."""

from __future__ import annotations

import io
import pickle
from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import chain, islice
from types import CodeType
from typing import Any, ClassVar

#: Rows in one pickle: large enough that its cost does not show, small enough to be in memory many times.
CHUNK = 10_000

_PROTOCOL = 5


def pack(value: Any) -> bytes:
    """A pickle that another process can read: functions and classes of the program's ``__main__`` go by value.

    Raises `pickle.PicklingError`, as PySpark does.
    """
    file = io.BytesIO()
    try:
        _pickler()(file, _PROTOCOL).dump(value)
    except pickle.PickleError:
        raise
    except Exception as error:
        raise pickle.PicklingError(f"Could not serialize object: {type(error).__name__}: {error}") from error
    return file.getvalue()


@cache
def _pickler() -> type[pickle.Pickler]:
    """cloudpickle's pickler, made when the first worker needs it. It drops the file names of functions; this one keeps
    them for tracebacks."""
    import cloudpickle

    table = cloudpickle.Pickler.dispatch_table
    reduce_code = table[CodeType]

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
        dispatch_table: ClassVar = ChainMap(
            {CodeType: lambda code: (_code, (code.co_filename, *reduce_code(code)))}, table
        )

    return Pickler


def _code(filename: str, make: Callable[..., CodeType], arguments: tuple[Any, ...]) -> CodeType:
    return make(*arguments).replace(co_filename=filename)


unpack = pickle.loads


def pack_rows(rows: Iterable[Any]) -> Iterator[bytes]:
    """Pickled lists of `CHUNK` rows, made as they are asked for."""
    if isinstance(rows, Sequence):
        for start in range(0, len(rows), CHUNK):
            yield pack(list(rows[start : start + CHUNK]))
        return
    remaining = iter(rows)
    while chunk := list(islice(remaining, CHUNK)):
        yield pack(chunk)


class Packed(Iterable[Any]):
    """Pickled lists of rows, or pickled buckets of a shuffle, which are unpickled each time they are read."""

    def __init__(self, pickles: Sequence[bytes | bytearray]) -> None:
        self.pickles = pickles

    def parts(self) -> Iterator[Any]:
        """Each pickle's object."""
        return map(unpack, self.pickles)

    def __iter__(self) -> Iterator[Any]:
        return chain.from_iterable(self.parts())
