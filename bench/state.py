"""State by key: updateStateByKey and an incremental window."""

from __future__ import annotations

from engines import Engine, millstream
from table import Table

KEYS, UPDATES = 100_000, 10_000
#: Batches before those that are measured; and those of the window.
WARM_UP, MEASURED, SLIDES = 5, 10, 60


def measure_update(table: Table, spark: Engine) -> None:
    """One round of updateStateByKey."""
    figure = f"updateStateByKey, {KEYS:,} keys, {UPDATES:,} updates a batch, ms"
    _measure(table, spark, figure, "update", WARM_UP)


def measure_window(table: Table, spark: Engine) -> None:
    """One round of a window that has filled, so that as much leaves it as comes."""
    figure = f"reduceByKeyAndWindow, incremental, {SLIDES} batches, {KEYS:,} keys, {UPDATES:,} pairs a batch, ms"
    _measure(table, spark, figure, "window", SLIDES)


def _measure(table: Table, spark: Engine, figure: str, operation: str, warm_up: int) -> None:
    for engine in (millstream("local[2]"), millstream("local[1]"), spark):
        batches = warm_up + MEASURED
        found, _ = engine.run("keyed_state.py", operation, KEYS, UPDATES, batches, 1.0, SLIDES)
        table.add(figure, engine.name, *(1000 * seconds for seconds in found["processing"][warm_up:]))
