"""What the dashboard costs a program that reads Kinesis as fast as it can, while two pages are open."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from engines import MILLSTREAM, PROGRAMS, Engine, tree_resident_mb
from kinesis import ENVIRONMENT, RECORDS, SHARDS, put_words, service
from table import Table

THREAD = "millstream-ui"
TICKS_S = os.sysconf("SC_CLK_TCK")


def measure_dashboard(table: Table, _: Engine) -> None:
    """The share of its thread in the CPU time of the program, and the memory of a program with it and without."""
    with service("--stream", f"words:{SHARDS}") as endpoint:
        put_words(endpoint, "words")
        for is_on in (True, False):
            seconds, of_pages, resident = run(endpoint, is_on)
            name = "with the dashboard and two pages" if is_on else "without"
            table.add(f"{RECORDS:,} records through a program, CPU seconds", name, seconds)
            table.add("the same, memory at most, MB", name, resident)
            if is_on:
                table.add("the dashboard's thread, share of CPU time, %", name, 100 * of_pages / seconds)


def run(endpoint: str, is_on: bool) -> tuple[float, float, float]:
    """CPU seconds of a program and of the dashboard's thread in it, and resident memory at most in MB."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        str(MILLSTREAM), "submit", "--master", "local[1]", "--conf=spark.millstream.kinesis.readInterval=1ms",
        f"--conf=spark.ui.enabled={str(is_on).lower()}", f"--conf=spark.ui.port={port}",
        str(PROGRAMS / "kinesis_words.py"), f"bench-{time.time_ns()}", "words", endpoint, "us-east-1", str(RECORDS),
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, **ENVIRONMENT})
    if is_on:
        for page in ("streaming", "shards"):
            threading.Thread(target=keep_open, args=(process, f"http://127.0.0.1:{port}/events/{page}")).start()
    seconds = of_pages = resident = 0.0
    while process.poll() is None:
        by_thread = threads(process.pid)
        seconds = max(seconds, sum(seconds for _, seconds in by_thread))
        of_pages = max(of_pages, sum(seconds for name, seconds in by_thread if name == THREAD))
        resident = max(resident, tree_resident_mb(process.pid))
        time.sleep(0.1)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    return seconds, of_pages, resident


def keep_open(process: subprocess.Popen[bytes], url: str) -> None:
    """Reads what a page would, until the program ends."""
    while process.poll() is None:
        try:
            with urllib.request.urlopen(url) as events:
                while events.readline():
                    pass
        except (OSError, urllib.error.URLError):
            time.sleep(0.05)


def threads(process: int) -> list[tuple[str, float]]:
    """The names of a process's threads, and their CPU seconds."""
    found = []
    for task in Path(f"/proc/{process}/task").glob("*"):
        try:
            name, rest = (task / "stat").read_text().split("(", 1)[1].rsplit(")", 1)
        except FileNotFoundError:
            continue
        fields = rest.split()
        found.append((name, (int(fields[11]) + int(fields[12])) / TICKS_S))
    return found
