"""Master URLs: Millstream runs a program in one process, so only the local ones are served."""

from __future__ import annotations

import os
import re

from millstream.errors import IllegalArgumentException

_LOCAL = re.compile(r"local(?:\[(?P<threads>\*|[1-9][0-9]*)(?:,[1-9][0-9]*)?\])?")


def parallelism(master: str) -> int:
    """How many partitions a job has by default under ``master``: 1 for ``local``, N for ``local[N]``, the
    number of processors for ``local[*]``.

    Raises `IllegalArgumentException` for a master that is not local.
    """
    match = _LOCAL.fullmatch(master)
    if match is None:
        raise IllegalArgumentException(
            f"master {master!r} cannot be served: Millstream runs the program in one process, "
            "use local, local[N] or local[*]"
        )
    threads = match["threads"]
    if threads == "*":
        return os.cpu_count() or 1
    return int(threads or 1)
