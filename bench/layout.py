"""Lays side by side what runs: writes the names of the native module's functions that are called, for the linker.

Code is what most of an idle worker's memory is, and the kernel makes code resident in pieces of 64 KB: where the
functions that run lie among all others, half of the module is. `make dist` links the module twice: as the compiler
orders it, with symbols, for the runs here; then in the order of OUTPUT, the argument. Needs valgrind.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from engines import MILLSTREAM, PROGRAMS
from kinesis import ENVIRONMENT, put, service
from workers import Rival, millstream, millstream_columns

#: With an argument that says where its profile goes, it runs what follows.
VALGRIND = ("valgrind", "--quiet", "--tool=callgrind", "--demangle=no")
MODULE = "_millstream.abi3.so"
STREAM = "records"
SHARDS = 4
#: Enough for blocks that are full, at the speed of valgrind.
LINES = "".join(f"{number:099}x\n" for number in range(20_000))


def read(reader: Rival, endpoint: str, retrieval: str, scheme: str) -> None:
    """Reads the stream, from the worker's start to SIGTERM."""
    address = endpoint.replace("http:", f"{scheme}:")
    worker = reader.start(address, "layout", STREAM, retrieval, idle_ms=200, timed=False)
    worker.wait_for_shards(SHARDS)
    put(endpoint, STREAM, LINES)
    worker.wait_for_records(LINES.count("\n"))
    worker.stop()


def worker(ours: Rival, retrieval: str, scheme: str, observed: tuple[str, ...]) -> None:
    """A worker of `millstream.kcl`."""
    with tempfile.TemporaryDirectory() as kept, streams(data_dir=Path(kept)) as endpoint:
        trusting = ("env", f"AWS_CA_BUNDLE={kept}/tls/ca.pem")
        read(Rival(ours.name, (*trusting, *observed, *ours.command)), endpoint, retrieval, scheme)


def program(observed: tuple[str, ...]) -> None:
    """The deck's word count, up to its first batch."""
    with streams() as endpoint:
        put(endpoint, STREAM, LINES)
        submit = [str(MILLSTREAM), "submit", str(PROGRAMS / "first_batch.py"), "layout", STREAM, endpoint, "us-east-1"]
        subprocess.run([*observed, *submit], check=True, stdout=subprocess.DEVNULL, env={**os.environ, **ENVIRONMENT})


def server(observed: tuple[str, ...]) -> None:
    """The local service, which a worker reads."""
    with streams(prefix=observed) as endpoint:
        read(millstream(), endpoint, "polling", "http")


#: A local service with the stream.
streams = partial(service, "--stream", f"{STREAM}:{SHARDS}")

#: What only a later run calls lies behind what an earlier one does.
RUNS: dict[str, Callable[[tuple[str, ...]], None]] = {
    "a worker, by polling and TLS": partial(worker, millstream(), "polling", "https"),
    "a worker, by fan-out and TLS": partial(worker, millstream(), "fanOut", "https"),
    "a worker, by polling": partial(worker, millstream(), "polling", "http"),
    "a worker, by fan-out": partial(worker, millstream(), "fanOut", "http"),
    "a worker with columns": partial(worker, millstream_columns(), "polling", "http"),
    "a program of streams": program,
    "the local service": server,
}


def called(run: Callable[[tuple[str, ...]], None]) -> set[str]:
    """The functions that run."""
    with tempfile.TemporaryDirectory() as directory:
        profile = Path(directory, "profile")
        run((*VALGRIND, f"--callgrind-out-file={profile}"))
        return set(functions(profile.read_text().splitlines()))


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
    for name, run in RUNS.items():
        before = len(order)
        order.update(dict.fromkeys(sorted(called(run))))
        print(f"{name}: {len(order) - before} functions more", file=sys.stderr)
    if not order:
        sys.exit(f"no function of {MODULE} was called: is it without symbols?")
    Path(sys.argv[1]).write_text("\n".join(order) + "\n")
