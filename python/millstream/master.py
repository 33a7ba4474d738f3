"""Master URLs: Millstream runs a program on one machine, so only the local ones are served."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from millstream.errors import IllegalArgumentException

_LOCAL = re.compile(r"local(?:\[(?P<cores>\*|[1-9][0-9]*)(?:,(?P<failures>[1-9][0-9]*))?\])?")


class Master(NamedTuple):
    """What a master URL says: how many partitions are computed at a time, and so a job has by default, and how often a
    task may run whose function raises."""

    cores: int
    failures: int


def parse(master: str) -> Master:
    """``local``: one core; ``local[N]``: N; ``local[*]``: the number of processors; ``local[N,F]``: F failures.

    Raises `IllegalArgumentException` for a master that is not local.
    """
    match = _LOCAL.fullmatch(master)
    if match is None:
        raise IllegalArgumentException(
            f"master {master!r} cannot be served: Millstream runs the program on one machine, "
            "use local, local[N] or local[*]"
        )
    cores = match["cores"]
    return Master((os.cpu_count() or 1) if cores == "*" else int(cores or 1), int(match["failures"] or 1))
