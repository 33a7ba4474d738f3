"""What a batch costs as a program grows: by records, by batches before it, by keys it does not touch, by shards."""

from __future__ import annotations

import statistics
import time

from engines import Engine, millstream
from kinesis import ENVIRONMENT, put, service
from table import Table

RECORDS = (10_000, 100_000, 1_000_000)
#: Batches of one run, and those at its start and its end that are compared.
PAST, COMPARED = 2_000, 200
KEYS, UPDATES, KEYED_BATCHES = (1_000, 10_000, 100_000, 1_000_000), 100, 20
SHARDS, BATCHES, INTERVAL_S = (1, 10, 100, 1_000), 50, 0.2


def measure_growth(table: Table, _: Engine) -> None:
    """One round of all four."""
    engine = millstream("local[1]")
    for records in RECORDS:
        found, _ = engine.run("word_count.py", records, 4, 0.1)
        took = [1e9 * seconds / records for seconds in found["in_output"][1:]]
        table.add("growth: word count, ns a line", f"{records:,} lines a batch", *took)

    found, _ = engine.run("word_count.py", 10, PAST, 0.01)
    for name, part in (("first", found["since_cut"][10:COMPARED]), ("last", found["since_cut"][-COMPARED:])):
        millis = 1e3 * statistics.median(part)
        table.add("growth: batches of 10 lines, cut to output done, ms", f"{name} {COMPARED} of {PAST:,}", millis)

    for keys in KEYS:
        found, _ = engine.run("keyed_state.py", "map", keys, UPDATES, KEYED_BATCHES, 0.5, 0)
        millis = [1e3 * seconds for seconds in found["processing"][1:]]
        table.add(f"growth: mapWithState, {UPDATES} updates a batch, ms", f"{keys:,} keys", *millis)

    reader = Engine(engine.name, engine.command, ENVIRONMENT)
    for shards in SHARDS:
        with service("--stream", f"lines:{shards}") as endpoint:
            lines = [f"{number}\n" for number in range(20 * shards)]
            put(endpoint, "lines", "".join(lines))
            place = f"growth-{time.time_ns()}", "lines", endpoint, "us-east-1"
            found, resident_mb = reader.run("many_shards.py", *place, len(lines), BATCHES, INTERVAL_S)
        name = f"{shards:,} shards"
        table.add("growth: idle shards, cut to output done, ms", name, *found["since_cut"])
        table.add(f"growth: idle shards, CPU of a batch of {INTERVAL_S} s, ms", name, found["cpu"])
        table.add("growth: idle shards, resident memory at most, MB", name, resident_mb)
