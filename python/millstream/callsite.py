"""Which line of the user's program a call came from."""

from __future__ import annotations

import os
import sys

#: The directory of this package: frames of code below it are ours, all others the user's.
PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep


def user_call_site() -> str:
    """``file:line`` of the innermost frame that is not of this package."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
