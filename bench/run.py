"""Millstream and PySpark side by side, in the same run, interleaved; prints medians with the conditions.

    python bench/run.py [--rounds N] [--only words,arrow,native,update,window,starts,records,latencies,growth,dashboard]

PySpark is installed into bench/.venv at the first run. It needs Java 17.
"""

from __future__ import annotations

import argparse
import sys

import dashboard
import growth
import kinesis
import state
import words
from engines import PYSPARK, pyspark
from table import Table

FIGURES = {
    "words": words.measure,
    "arrow": words.measure_arrow,
    "native": words.measure_native,
    "update": state.measure_update,
    "window": state.measure_window,
    "starts": kinesis.measure_starts,
    "records": kinesis.measure_records,
    "latencies": kinesis.measure_latencies,
    "growth": growth.measure_growth,
    "dashboard": dashboard.measure_dashboard,
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--only", default=",".join(FIGURES), help="figures, separated by commas")
    options = arguments.parse_args()
    names = options.only.split(",")
    if unknown := set(names) - set(FIGURES):
        arguments.error(f"no such figure: {', '.join(sorted(unknown))}; there are {', '.join(FIGURES)}")
    spark, table = pyspark(), Table()
    for number in range(options.rounds):
        for name in names:
            print(f"round {number + 1}: {name}", file=sys.stderr)
            FIGURES[name](table, spark)
    table.print(options.rounds, PYSPARK)


if __name__ == "__main__":
    main()
