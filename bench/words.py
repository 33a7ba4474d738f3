"""Word counts over a queue of RDDs: small batches, large ones, with Arrow, and by native operators."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass

from engines import HERE, Engine, millstream
from table import Table


@dataclass
class Case:
    """One workload."""

    name: str
    lines: int
    batches: int
    warm_up: int
    interval_s: float


# PySpark's first batches are slow, and those behind them wait: it gets time to warm up and to catch up.
TINY = Case("10 lines", lines=10, batches=30, warm_up=15, interval_s=1.0)
LARGE = Case("1 M lines a batch", lines=1_000_000, batches=4, warm_up=2, interval_s=5.0)
PER_S = f"word count, {LARGE.name}, lines/s"


def measure(table: Table, spark: Engine) -> None:
    """One round of the user's three lambdas."""
    for case in (TINY, LARGE):
        for engine in (millstream("local[2]"), millstream("local[1]"), spark):
            found, peak = engine.run("word_count.py", case.lines, case.batches, case.interval_s)
            since_cut, in_output = found["since_cut"][case.warm_up :], found["in_output"][case.warm_up :]
            if case is TINY:
                table.add("process start to first output, s", engine.name, found["first_after_start"])
                millis = [1000 * seconds for seconds in since_cut]
                table.add(f"{case.name}, cut to output done, p50 ms", engine.name, *millis)
                table.add(f"{case.name}, cut to output done, p99 ms", engine.name, *millis, p99=True)
            else:
                table.add(PER_S, engine.name, *(case.lines / seconds for seconds in in_output), more_is_better=True)
            table.add(f"resident memory at most, {case.name}, MB", engine.name, peak)


def measure_arrow(table: Table, spark: Engine) -> None:
    """One round with functions on Arrow batches, against the lambdas on PySpark. Needs pyarrow (`make test-extras`)."""
    figure = f"word count by map_batches, {LARGE.name}, lines/s"
    arguments = LARGE.lines, LARGE.batches, LARGE.interval_s
    for engine, program in (
        (millstream("local[2]"), "arrow_words.py"),
        (millstream("local[1]"), "arrow_words.py"),
        (spark, "word_count.py"),
    ):
        found, _ = engine.run(program, *arguments)
        seconds = found["in_output"][LARGE.warm_up :]
        table.add(figure, engine.name, *(LARGE.lines / second for second in seconds), more_is_better=True)


def measure_native(table: Table, spark: Engine) -> None:
    """One round by the Rust face's operators, on one thread, built as the wheel is shipped."""
    figure = f"word count by native operators, one thread, {LARGE.name}, lines/s"
    build = ["cargo", "run", "--quiet", "--release", "--example", "bench_words", "--"]
    done = subprocess.run(
        [*build, str(LARGE.lines), str(LARGE.batches)], cwd=HERE.parent, capture_output=True, text=True, check=True
    )
    native = json.loads(done.stdout)["processing"][LARGE.warm_up :]
    table.add(figure, "Millstream, Rust", *(LARGE.lines / seconds for seconds in native), more_is_better=True)
    found, _ = spark.run("word_count.py", LARGE.lines, LARGE.batches, LARGE.interval_s)
    seconds = found["in_output"][LARGE.warm_up :]
    table.add(figure, spark.name, *(LARGE.lines / second for second in seconds), more_is_better=True)
