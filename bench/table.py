"""Figures of engines beside each other."""

from __future__ import annotations

import math
import os
import platform
import statistics
from collections import defaultdict


class Table:
    """Samples by figure and engine; prints medians, and the ratio of each engine to the last one."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self._more_is_better: set[str] = set()
        self._p99: set[str] = set()

    def add(self, figure: str, engine: str, *samples: float, more_is_better: bool = False, p99: bool = False) -> None:
        """Samples of one round."""
        self._rows[figure][engine].extend(samples)
        if more_is_better:
            self._more_is_better.add(figure)
        if p99:
            self._p99.add(figure)

    def print(self, rounds: int, rivals: str) -> None:
        """The table with the conditions."""
        print(f"\n{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, {rivals}")
        print(f"{rounds} rounds, interleaved; medians (load at the end: {os.getloadavg()[0]:.1f})")
        for figure, by_engine in self._rows.items():
            values = {engine: self._value(figure, samples) for engine, samples in by_engine.items()}
            *_, last = values.values()
            print(f"\n{figure}")
            for engine, value in values.items():
                times = ""
                if len(values) > 1 and math.isfinite(value) and math.isfinite(last):
                    times = f"{value / last if figure in self._more_is_better else last / value:8.1f} x"
                print(f"    {engine:30}{value:>16,.{0 if value > 1000 else 2}f}{times}")

    def _value(self, figure: str, samples: list[float]) -> float:
        if figure in self._p99:
            return statistics.quantiles(samples, n=100)[98] if len(samples) > 1 else samples[0]
        return statistics.median(samples)
