"""Tracebacks of the functions of a program, as its author wants them."""

from __future__ import annotations

import traceback
from types import TracebackType

from millstream.callsite import PACKAGE


def of_program(kind: type[BaseException], error: BaseException, frames: TracebackType | None) -> str:
    """The traceback from the first frame of the program on; all of it where no frame is the program's."""
    first = frames
    while first is not None and first.tb_frame.f_code.co_filename.startswith(PACKAGE):
        first = first.tb_next
    return "".join(traceback.format_exception(kind, error, first or frames)).rstrip()
