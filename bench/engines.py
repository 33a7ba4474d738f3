"""The ways to run a program, and what a run tells."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PROGRAMS = HERE / "programs"
PYSPARK = "pyspark==4.3.0"
MILLSTREAM = Path(sys.executable).parent / "millstream"


@dataclass
class Engine:
    """One of the ways to run a program."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, program: str, *arguments: object, timeout_s: float = 900) -> tuple[dict[str, Any], float]:
        """Runs a program to its end: the JSON of its last line, and its resident memory at most, in MB."""
        print(f"{self.name}: {program} {' '.join(map(str, arguments))}", file=sys.stderr)
        command = [*self.command, str(PROGRAMS / program), *map(str, arguments)]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **self.environment}
        )
        peak = 0.0

        def watch() -> None:
            nonlocal peak
            while process.poll() is None:
                peak = max(peak, tree_resident_mb(process.pid))
                time.sleep(0.2)

        watcher = threading.Thread(target=watch)
        watcher.start()
        out, error = process.communicate(timeout=timeout_s)
        watcher.join()
        results = [line for line in out.splitlines() if line.startswith("{")]
        if process.returncode != 0 or not results:
            sys.exit(f"{self.name} failed on {program}:\n{error[-4000:]}")
        return json.loads(results[-1]), peak


def millstream(master: str) -> Engine:
    """Ours."""
    return Engine(f"Millstream {master}", [str(MILLSTREAM), "submit", "--master", master])


def pyspark() -> Engine:
    """Theirs; installed into bench/.venv at the first run."""
    if shutil.which("java") is None:
        sys.exit("java is missing: PySpark needs Java 17 or later")
    python = HERE / ".venv" / "bin" / "python"
    if not list((HERE / ".venv").glob("lib/python3*/site-packages/pyspark")):
        print(f"installing {PYSPARK} into bench/.venv", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(HERE / ".venv")], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", PYSPARK], check=True)
    arguments = "--master local[2] --driver-memory 4g pyspark-shell"
    environment = {"PYSPARK_PYTHON": str(python), "PYSPARK_SUBMIT_ARGS": arguments}
    return Engine("PySpark local[2]", [str(python)], environment)


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
