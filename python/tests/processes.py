"""Running `millstream` in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


class Submitter:
    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "millstream", *arguments]

    def program(self, text: str, name: str = "program.py") -> str:
        path = self.directory / name
        path.write_text(text)
        return str(path)

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command("submit", *arguments), capture_output=True, text=True, cwd=self.directory, timeout=60
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command("submit", *arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.directory,
        )
