"""What a failed program leaves on stderr: the user's frames, without those of this package."""

from __future__ import annotations

import sys
from types import TracebackType

from millstream.callsite import PACKAGE
from millstream.errors import PySparkException, PythonException
from millstream.rdd.fuse import FILENAME


def report(error: BaseException) -> None:
    """Prints why the program failed: errors of Millstream in one line with the place in the program, those of the
    program's own code with their traceback."""
    strip_chain(error)
    # A function's failure in a worker has its traceback in the message.
    chained = not isinstance(error, PythonException)
    if chained and isinstance(error, PySparkException) and error.__cause__ is None:
        print(f"millstream: {type(error).__name__}: {error}{_place(error.__traceback__)}", file=sys.stderr)
        return
    import traceback

    traceback.print_exception(error, chain=chained)


def _place(trace: TracebackType | None) -> str:
    if trace is None:
        return ""
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"\n  at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"


def strip_chain(error: BaseException) -> None:
    """Takes the frames that are not the user's out of the tracebacks of an error and of those that led to it."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        current = waiting.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        current.__traceback__ = _without_internals(current.__traceback__)
        waiting += [current.__cause__, current.__context__]


def _without_internals(trace: TracebackType | None) -> TracebackType | None:
    """The traceback without frames of this package, of its generated loops and of the import machinery."""
    frames = []
    while trace is not None:
        if not _is_internal(trace.tb_frame.f_code.co_filename):
            frames.append(trace)
        trace = trace.tb_next
    kept: TracebackType | None = None
    for frame in reversed(frames):
        kept = TracebackType(kept, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return kept


def _is_internal(filename: str) -> bool:
    return filename == FILENAME or filename.startswith((PACKAGE, "<frozen "))
