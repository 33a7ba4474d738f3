"""Methods of PySpark that are not there yet: they say so when they are called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from millstream.errors import PySparkNotImplementedError


def unsupported(owner: str, name: str, instead: str = "") -> Callable[..., NoReturn]:
    """A method that raises `PySparkNotImplementedError` naming itself, and what to do ``instead`` if anything."""

    def method(*_arguments: Any, **_named: Any) -> NoReturn:
        hint = f": {instead}" if instead else ""
        raise PySparkNotImplementedError(f"{owner}.{name} is not implemented in Millstream yet{hint}")

    method.__name__ = name
    method.__qualname__ = f"{owner}.{name}"
    method.__doc__ = f"PySpark's `{name}`, which Millstream does not have yet."
    return method


def add_unsupported(owner: type, names: str) -> None:
    """Gives ``owner`` a loud method for each of the ``names`` (separated by spaces) that it does not have."""
    for name in names.split():
        setattr(owner, name, unsupported(owner.__name__, name))
