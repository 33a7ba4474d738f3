"""Workers of Millstream, of kcl-rs and of the Java KCL, as processes that are listened to."""

from __future__ import annotations

import math
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines import PROGRAMS, tree_resident_mb

RIVALS = PROGRAMS.parent / "rivals"
POM = PROGRAMS.parent.parent / "tests/conformance/kcl/pom.xml"
KCL_RS = "kcl-rs==0.1.4"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_REGION": "us-east-1"}
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Rival:
    """One of the consumers."""

    name: str
    command: tuple[str, ...]

    def start(self, endpoint: str, application: str, stream: str, retrieval: str, idle_ms: int, timed: bool) -> Worker:
        arguments = endpoint, application, stream, retrieval, str(idle_ms), "timed" if timed else "untimed"
        return Worker([*self.command, *arguments])


def millstream() -> Rival:
    """Ours, from the environment that this runs in."""
    return Rival("Millstream", (sys.executable, str(PROGRAMS / "millstream_worker.py")))


def millstream_columns() -> Rival:
    """Ours with records as columns."""
    return Rival("Millstream, columns", (sys.executable, str(PROGRAMS / "millstream_worker.py"), "--columns"))


def kcl_rs() -> Rival:
    """LocalStack's port; installed into bench/rivals at the first run."""
    python = RIVALS / "kcl-rs/bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(RIVALS / "kcl-rs")], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", KCL_RS], check=True)
    return Rival(KCL_RS.replace("==", " "), (str(python), str(PROGRAMS / "kcl_rs_worker.py")))


def java() -> Rival:
    """The KCL itself; its jars come by Maven."""
    if shutil.which("mvn") is None or shutil.which("java") is None:
        sys.exit("Java or Maven is not installed: apt-get install openjdk-17-jdk-headless maven")
    classes, classpath = RIVALS / "java", RIVALS / "kcl.classpath"
    if not classpath.exists():
        goal = "dependency:build-classpath"
        subprocess.run(["mvn", "--quiet", "--file", str(POM), goal, f"-Dmdep.outputFile={classpath}"], check=True)
    jars = classpath.read_text().strip()
    subprocess.run(["javac", "-cp", jars, "-d", str(classes), str(PROGRAMS / "KclWorker.java")], check=True)
    return Rival(
        "Java KCL 3.5.1",
        ("java", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", f"{classes}:{jars}", "KclWorker"),
    )


RIVAL_MAKERS: dict[str, Callable[[], Rival]] = {
    "millstream": millstream,
    "millstream-columns": millstream_columns,
    "kcl-rs": kcl_rs,
    "java": java,
}


class Worker:
    """A running worker and what it has said; `telling.py` has the lines."""

    def __init__(self, command: list[str]) -> None:
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **CREDENTIALS},
        )
        self.ready: dict[str, float] = {}
        """When each shard's processor was initialized."""
        self.records = 0
        self.first: float | None = None
        """When the first records were processed, and what had been used of the processor by then."""
        self.cpu_at_first = 0.0
        self.last = 0.0
        self.latencies_ms: list[float] = []
        self._change = threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            now = time.monotonic()
            what, shard, *rest = line.split()
            with self._change:
                if what == "ready":
                    self.ready.setdefault(shard, now)
                else:
                    if self.first is None:
                        self.first, self.cpu_at_first = now, self.cpu_s()
                    self.last = now
                    self.records += int(rest[0])
                    if len(rest) > 2:
                        self.latencies_ms.extend(map(float, rest[2].split(",")))
                self._change.notify_all()

    def wait(self, what: str, condition: Callable[[], Any], timeout_s: float = 400) -> float:
        """Waits until `condition` is true; when that was."""
        with self._change:
            if not self._change.wait_for(condition, timeout_s):
                sys.exit(f"not within {timeout_s} s: {what}; exit code {self.process.poll()}, {self.records} records")
            return time.monotonic()

    def wait_for_records(self, count: int) -> float:
        return self.wait(f"{count} records are processed", lambda: self.records >= count)

    def wait_for_shards(self, count: int) -> float:
        return self.wait(f"{count} shards are read", lambda: len(self.ready) >= count)

    def shards_within(self, count: int, seconds: float) -> float:
        """When so many shards were read; infinite if they were not in time."""
        with self._change:
            return time.monotonic() if self._change.wait_for(lambda: len(self.ready) >= count, seconds) else math.inf

    def cpu_s(self) -> float:
        """Of the process so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) * TICK_S

    def resident_mb(self) -> float:
        return tree_resident_mb(self.process.pid)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """Lets it end in an orderly way; a worker that does not is killed."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
