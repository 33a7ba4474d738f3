"""Conventions of PySpark's streaming functions: how many arguments a function takes, and what a batch time is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from types import MethodType
from typing import Any


def batch_time(time_ms: int) -> datetime:
    """The batch time as functions get it: local time without a zone."""
    return datetime.fromtimestamp(time_ms / 1000)


def epoch_ms(time: datetime | float) -> int:
    """A time that a program gives: local time, or seconds since the epoch."""
    seconds = time.timestamp() if isinstance(time, datetime) else time
    return round(seconds * 1000)


def argument_count(function: Callable[..., Any]) -> int:
    """How many arguments a user's function is to be called with.

    PySpark looks at ``__code__.co_argcount``. Here ``self`` of a bound method does not count, and objects without
    code of their own (partial objects, callable classes, built-ins) are asked for their signature.
    """
    code = getattr(function, "__code__", None)
    if code is not None:
        bound = isinstance(function, MethodType)
        return int(code.co_argcount) - bound
    from inspect import Parameter, signature

    positional = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    parameters = signature(function).parameters.values()
    return sum(1 for p in parameters if p.kind in positional and p.default is Parameter.empty)


def with_time(function: Callable[..., Any], datasets: int) -> Callable[..., Any]:
    """Makes a function of a batch's ``datasets`` RDDs one of (time in ms, RDDs); the user's function may take the
    time as a first argument, or leave it out."""
    if argument_count(function) == datasets:
        return lambda _, *rdds: function(*rdds)
    return lambda time_ms, *rdds: function(batch_time(time_ms), *rdds)
