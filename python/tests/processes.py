"""Running `millstream` in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


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
