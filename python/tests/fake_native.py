"""A stand-in for the native module, so that the Python package can be tested before the wheel is built.

It does in plain Python what the tests need of the engine: batches at multiples of the interval, each stream computed
once a batch, errors told once. Tests that run on it run on the real module as well.
"""

from __future__ import annotations

import importlib.util
import sys
import threading
import time
from pathlib import Path
from types import ModuleType
from typing import Any


def ensure() -> bool:
    """Makes `millstream` and its native module importable; returns whether the native module is this stand-in."""
    if importlib.util.find_spec("millstream") is None:
        sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    if "millstream._millstream" not in sys.modules and importlib.util.find_spec("millstream._millstream") is None:
        sys.modules["millstream._millstream"] = _module()
    return hasattr(sys.modules.get("millstream._millstream"), "is_fake")


def _module() -> ModuleType:
    module = ModuleType("millstream._millstream")
    module.__dict__.update(is_fake=True, Engine=Engine, KinesisInput=KinesisInput, main=main)
    return module


def main(argv: list[str]) -> int:
    print("native command line:", *argv)
    return 3


class KinesisInput:
    """Holds its settings; gives batches without records."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings

    def cut(self, _time_ms: int) -> tuple[Any, int]:
        return self.settings["make"]([]), 0

    def nothing(self, *_arguments: Any) -> bool:
        return True

    start = stop = committed = failed = drain = is_drained = nothing


class Engine:
    def __init__(self, batch_ms: int, stop_timeout_ms: int | None = None) -> None:
        self._interval = batch_ms / 1000
        self._sources: dict[int, Any] = {}
        self._streams: dict[int, tuple[list[int], Any]] = {}
        self._outputs: list[tuple[int, Any]] = []
        self._errors: list[BaseException] = []
        self._changed = threading.Condition()
        self._stopping: bool | None = None
        self._ended = False
        self._thread: threading.Thread | None = None

    def _number(self) -> int:
        return len(self._sources) + len(self._streams)

    def input_python(self, source: Any) -> int:
        number = self._number()
        self._sources[number] = source
        return number

    input_kinesis = input_python

    def derive(self, parents: list[int], function: Any) -> int:
        number = self._number()
        self._streams[number] = (parents, function)
        return number

    def output(self, parent: int, function: Any, name: str) -> None:
        assert isinstance(name, str)
        self._outputs.append((parent, function))

    def start(self) -> None:
        for source in self._sources.values():
            source.start()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def await_termination(self, timeout_s: float | None = None) -> bool:
        deadline = time.monotonic() + (1e9 if timeout_s is None else timeout_s)
        with self._changed:
            while not (self._ended or self._errors) and time.monotonic() < deadline:
                self._changed.wait(min(0.02, max(0.0, deadline - time.monotonic())))
            if self._errors:
                error, self._errors = self._errors[0], []
                raise error
            return self._ended

    def stop(self, graceful: bool) -> None:
        with self._changed:
            self._stopping = graceful
            self._changed.notify_all()
        if self._thread is None:
            self._ended = True
        elif self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        number = int(time.time() / self._interval) + 1
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopping is not None, number * self._interval - time.time())
                if self._stopping is not None:
                    break
            self._batch(round(number * self._interval * 1000))
            number += 1
        for source in self._sources.values():
            source.drain()
            source.stop(self._stopping)
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _batch(self, time_ms: int) -> None:
        memo: dict[int, Any] = {}
        try:
            for number, source in self._sources.items():
                memo[number], records = source.cut(time_ms)
                assert isinstance(records, int)
            for parent, function in self._outputs:
                function(time_ms, self._dataset(memo, time_ms, parent))
        except BaseException as error:
            with self._changed:
                self._errors.append(error)
                self._changed.notify_all()
        for source in self._sources.values():
            source.committed(time_ms)

    def _dataset(self, memo: dict[int, Any], time_ms: int, number: int) -> Any:
        if number not in memo:
            parents, function = self._streams[number]
            memo[number] = function(time_ms, *(self._dataset(memo, time_ms, parent) for parent in parents))
        return memo[number]
