"""Datasets as files of pickles. As any pickle, they are to be read from places that can be trusted only."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from millstream.rdd.packing import pack_rows
from millstream.rdd.save import save

if TYPE_CHECKING:
    from millstream.rdd.actions import Actions


def save_pickled(rdd: Actions[Any], path: str) -> None:
    """Writes a directory with a file of pickled lists for each partition."""
    save(rdd, path, _write)


def _write(name: str, rows: Iterable[Any]) -> None:
    with open(name, "wb") as file:
        file.writelines(pack_rows(rows))


def pickled_rows(name: str) -> Iterator[Any]:
    """The rows of such a file."""
    with open(name, "rb") as file:
        while file.peek(1):
            yield from pickle.load(file)
