"""Lays side by side what runs: writes the names of the native module's functions that a worker calls, for the linker.

Code is what most of an idle worker's memory is, and the kernel makes code resident in pieces of 64 KB: where the
functions that run lie among all others, half of the module is. `make dist` links the module twice: as the compiler
orders it, with symbols, for the runs here; then in the order of OUTPUT, the argument. Needs valgrind.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from kinesis import put, service
from workers import Rival, millstream, millstream_columns

SHARDS = 4
#: Enough for blocks that are full, at the speed of valgrind.
LINES = "".join(f"{number:099}x\n" for number in range(20_000))
#: Who reads how, and where. What only a later one calls lies behind what an earlier one does.
RUNS = [
    (millstream, "polling", "https"),
    (millstream, "fanOut", "https"),
    (millstream, "polling", "http"),
    (millstream, "fanOut", "http"),
    (millstream_columns, "polling", "http"),
]
MODULE = "_millstream.abi3.so"


def called(rival: Rival, retrieval: str, scheme: str) -> set[str]:
    """The functions that run from a worker's start to its end."""
    with (
        tempfile.TemporaryDirectory() as name,
        service("--stream", f"records:{SHARDS}", data_dir=Path(name)) as endpoint,
    ):
        profile = Path(name, "profile")
        trusting = ("env", f"AWS_CA_BUNDLE={name}/tls/ca.pem")
        valgrind = ("valgrind", "--quiet", "--tool=callgrind", "--demangle=no", f"--callgrind-out-file={profile}")
        observed = Rival(rival.name, (*trusting, *valgrind, *rival.command))
        address = endpoint.replace("http:", f"{scheme}:")
        worker = observed.start(address, "layout", "records", retrieval, idle_ms=200, timed=False)
        worker.wait_for_shards(SHARDS)
        put(endpoint, "records", LINES)
        worker.wait_for_records(LINES.count("\n"))
        worker.stop()
        names = set(functions(profile.read_text().splitlines()))
        if not names:
            sys.exit(f"{rival.name} has called no function of {MODULE}")
        return names


def functions(profile: Iterable[str]) -> Iterator[str]:
    """The module's functions in a profile of callgrind, which gives objects and functions a number where it first names
    them: ``ob=(3) /path``, ``fn=(7) name``, later ``fn=(7)``. A name that ends with ``'2`` is a recursion's."""
    names: dict[tuple[str, str], str] = {}
    is_ours = False
    for line in profile:
        found = re.fullmatch(r"(c?)(ob|fn)=\((\d+)\)(?: (.*))?", line)
        if found is None:
            continue
        callee, kind, number, name = found.groups()
        names.setdefault((kind, number), name)
        if kind == "ob" and not callee:
            is_ours = names[kind, number].endswith(MODULE)
        elif kind == "fn" and not callee and is_ours:
            yield re.sub(r"'\d+$", "", names[kind, number])


if __name__ == "__main__":
    if shutil.which("valgrind") is None:
        sys.exit("valgrind is not installed: apt-get install valgrind")
    order: dict[str, None] = {}
    for maker, *how in RUNS:
        rival = maker()
        order.update(dict.fromkeys(sorted(called(rival, *how))))
        print(f"{len(order)} functions are called by {rival.name}, {', '.join(how)}, and before", file=sys.stderr)
    Path(sys.argv[1]).write_text("\n".join(order) + "\n")
