"""Programs of streams, submitted to the cluster by `millstream submit`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from cluster import CONF, Cluster, spark_environment

from tests.conftest import MILLSTREAM, PROGRAMS, REGION, Service, wait_until

#: A program of a minute has no use for what the JVM's second compiler makes of it.
JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
CONF_OF_JAVA = {"spark.driver.extraJavaOptions": JAVA, "spark.executor.extraJavaOptions": JAVA}


class Application:
    """A driver that runs, with what it says in a file."""

    def __init__(self, output: Path, *command: str, **environment: str) -> None:
        self.output = output
        with output.open("ab") as file:
            self.process = subprocess.Popen(command, stdout=file, stderr=file, env=spark_environment(**environment))

    def said(self) -> str:
        """All that it has printed."""
        return self.output.read_text(errors="replace")

    def wait(self, seconds: float = 180) -> int:
        """Waits for its end; its exit code."""
        return self.process.wait(timeout=seconds)

    def kill(self) -> None:
        """As `kill -9`."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """Asks it to end, as an operator would."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.kill()


class Applications:
    """Those of one test."""

    def __init__(self, cluster: Cluster, directory: Path) -> None:
        self.cluster = cluster
        self.directory = directory
        self.started: list[Application] = []

    def submit(self, program: Path, *arguments: str, flags: tuple[str, ...] = (), **conf: str) -> Application:
        """Runs a program on the cluster; a double underscore in a setting's name is a dot."""
        return self.run(self.cluster.url, program, *arguments, flags=flags, **conf)

    def run(self, master: str, program: Path, *arguments: str, flags: tuple[str, ...] = (), **conf: str) -> Application:
        """Runs a program on any master."""
        settings = {
            **CONF,
            **CONF_OF_JAVA,
            **{f"spark.{name.replace('__', '.')}": value for name, value in conf.items()},
        }
        words = [f"--conf={key}={value}" for key, value in settings.items()]
        command = [str(MILLSTREAM), "submit", "--master", master, *words, *flags, str(program), *arguments]
        made = Application(self.directory / f"output-{len(self.started)}", *command)
        self.started.append(made)
        return made

    def end(self) -> None:
        """Stops all, and shows what they have said."""
        for application in self.started:
            application.stop()
            print(f"--- {application.process.args}\n{application.said()[-6000:]}")


class Counts:
    """Runs of tests/programs/counts.py and what the last one has written."""

    def __init__(self, applications: Applications, service: Service, app: str, stream: str) -> None:
        self.applications = applications
        self.path = applications.directory / "counts"
        checkpoint = applications.directory / "checkpoint"
        # A batch has a dozen jobs.
        self.arguments = app, stream, service.endpoint, REGION, str(self.path), str(checkpoint), "2"

    def start(self, **conf: str) -> Application:
        return self.applications.submit(PROGRAMS / "counts.py", *self.arguments, millstream__failoverTime="2s", **conf)

    def read(self) -> dict[str, Any]:
        return json.loads(self.path.read_text()) if self.path.exists() else {}

    def hold(self) -> None:
        """Lets the functions on the executors wait."""
        self.path.with_suffix(".hold").touch()

    def wait_for_holding(self) -> int:
        """Waits until a function does; its process."""
        held = self.path.with_suffix(".held")
        return int(wait_until("a function waits on an executor", lambda: held.exists() and held.read_text(), 60))

    def go_on(self) -> None:
        """Lets them go on."""
        self.path.with_suffix(".hold").unlink()


def executor_of(pid: int) -> int:
    """The executor that a Python process belongs to: the Java process above it."""
    while b"CoarseGrainedExecutorBackend" not in Path(f"/proc/{pid}/cmdline").read_bytes():
        pid = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    return pid


def kill(pid: int) -> None:
    """As `kill -9`."""
    os.kill(pid, signal.SIGKILL)
