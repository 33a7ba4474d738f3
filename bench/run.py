"""Millstream and PySpark side by side, in the same run, interleaved; prints medians with the conditions.

    python bench/run.py [--rounds N]

PySpark is installed into bench/.venv at the first run. It needs Java 17.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROGRAM = HERE / "programs" / "word_count.py"
PYSPARK = "pyspark==4.3.0"


@dataclass
class Case:
    """One workload with the goal that it has to meet."""

    name: str
    lines: int
    batches: int
    warm_up: int
    interval_s: float


# PySpark's first batches are slow, and those behind them wait: it gets time to warm up and to catch up.
CASES = [
    Case("tiny batches", lines=10, batches=30, warm_up=15, interval_s=1.0),
    Case("1 M lines a batch", lines=1_000_000, batches=4, warm_up=2, interval_s=5.0),
]
KINESIS_STARTS = 5


@dataclass
class Engine:
    """One of the ways to run the program, and what it measured: one entry a round."""

    name: str
    command: list[str]
    environment: dict[str, str]
    since_cut_ms: dict[str, list[float]] = field(default_factory=dict)
    lines_per_s: dict[str, list[float]] = field(default_factory=dict)
    start_s: list[float] = field(default_factory=list)
    resident_mb: dict[str, list[float]] = field(default_factory=dict)


def tree_resident_mb(root: int) -> float:
    """Resident memory of a process and all its descendants, in MB."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rsplit(")", 1)[1].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    family, grown = {root}, True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in family} - family
        family |= more
        grown = bool(more)
    pages = 0
    for pid in family:
        try:
            pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def run(engine: Engine, case: Case) -> None:
    """Runs one case once and notes what it gave."""
    command = [*engine.command, str(PROGRAM), str(case.lines), str(case.batches), str(case.interval_s)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **engine.environment}
    )
    peak = 0.0

    def watch() -> None:
        nonlocal peak
        while process.poll() is None:
            peak = max(peak, tree_resident_mb(process.pid))
            time.sleep(0.2)

    watcher = threading.Thread(target=watch)
    watcher.start()
    out, error = process.communicate(timeout=600)
    watcher.join()
    results = [line for line in out.splitlines() if line.startswith("{")]
    if process.returncode != 0 or not results:
        sys.exit(f"{engine.name} failed on {case.name}:\n{error[-4000:]}")
    measured = json.loads(results[-1])
    since_cut, in_output = measured["since_cut"][case.warm_up :], measured["in_output"][case.warm_up :]
    engine.since_cut_ms.setdefault(case.name, []).extend(1000 * seconds for seconds in since_cut)
    engine.lines_per_s.setdefault(case.name, []).extend(case.lines / seconds for seconds in in_output)
    engine.resident_mb.setdefault(case.name, []).append(peak)
    if case is CASES[0]:
        engine.start_s.append(measured["first_after_start"])


def kinesis_starts(millstream: Path) -> list[float]:
    """Seconds from the start of the process to the first batch of a Kinesis stream done, for new applications."""
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
    local = [str(millstream), "local", "--memory", "--port", "0", "--stream", "lines:4"]
    seconds = []
    with subprocess.Popen(local, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        endpoint = service.stdout.readline().split(" is ready at ")[1].split()[0]
        put = [str(millstream), "put", "lines", "--endpoint-url", endpoint]
        subprocess.run(
            put, input="to be or not to be\n" * 10, text=True, check=True, env=environment, stdout=subprocess.DEVNULL
        )
        for number in range(KINESIS_STARTS):
            submit = [str(millstream), "submit", str(HERE / "programs" / "first_batch.py")]
            began = time.monotonic()
            with subprocess.Popen(
                [*submit, f"start-{number}", "lines", endpoint, "us-east-1"],
                stdout=subprocess.PIPE,
                text=True,
                env=environment,
            ) as program:
                assert program.stdout is not None
                program.stdout.readline()
                seconds.append(time.monotonic() - began)
        service.terminate()
    return seconds


def spark_python() -> Path:
    """The Python that has PySpark; made at the first run."""
    python = HERE / ".venv" / "bin" / "python"
    if not python.exists():
        print(f"installing {PYSPARK} into bench/.venv", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(HERE / ".venv")], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", PYSPARK], check=True)
    return python


def report(engines: list[Engine], starts: list[float], rounds: int) -> None:
    """The figures of all beside each other; the ratio is that of the last to each, or the other way round where more is
    better."""
    print(f"\n{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, {PYSPARK}")
    print(f"{rounds} rounds, interleaved; medians (load at the end: {os.getloadavg()[0]:.1f})\n")
    *ours, theirs = engines
    print(f"{'':44}" + "".join(f"{engine.name:>24}{'ratio':>7}" for engine in ours) + f"{theirs.name:>20}")

    def line(what: str, figure: Callable[[Engine], float], digits: int, more_is_better: bool = False) -> None:
        other = figure(theirs)
        cells = ""
        for engine in ours:
            mine = figure(engine)
            cells += f"{mine:>24,.{digits}f}{mine / other if more_is_better else other / mine:>7.1f}"
        print(f"{what:44}{cells}{other:>20,.{digits}f}")

    tiny, large = CASES[0].name, CASES[1].name
    line("process start to first output, s", lambda engine: statistics.median(engine.start_s), 2)
    print(f"{'the same, from Kinesis (local service), s':44}{statistics.median(starts):>24.2f}")
    line("10 lines, cut to output done, p50 ms", lambda engine: statistics.median(engine.since_cut_ms[tiny]), 2)
    line(
        "10 lines, cut to output done, p99 ms",
        lambda engine: statistics.quantiles(engine.since_cut_ms[tiny], n=100)[98],
        2,
    )
    line(
        "word count, 1 M lines a batch, lines/s",
        lambda engine: statistics.median(engine.lines_per_s[large]),
        0,
        more_is_better=True,
    )
    for case in CASES:
        name = case.name
        line(
            f"resident memory at most, {name}, MB",
            lambda engine, name=name: statistics.median(engine.resident_mb[name]),  # type: ignore[misc]
            0,
        )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=3)
    rounds = arguments.parse_args().rounds
    if shutil.which("java") is None:
        sys.exit("java is missing: PySpark needs Java 17 or later")
    millstream = Path(sys.executable).parent / "millstream"
    ours = [
        Engine(f"Millstream {master}", [str(millstream), "submit", "--master", master], {})
        for master in ("local[2]", "local[1]")
    ]
    python = str(spark_python())
    spark_env = {"PYSPARK_PYTHON": python, "PYSPARK_SUBMIT_ARGS": "--master local[2] --driver-memory 4g pyspark-shell"}
    theirs = Engine("PySpark local[2]", [python], spark_env)
    for number in range(rounds):
        for case in CASES:
            for engine in [*ours, theirs]:
                print(f"round {number + 1}: {engine.name}, {case.name}", file=sys.stderr)
                run(engine, case)
    report([*ours, theirs], kinesis_starts(millstream), rounds)


if __name__ == "__main__":
    main()
