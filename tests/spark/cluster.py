"""A standalone cluster of Apache Spark on the loopback interface, from the `pyspark` package alone."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import pyspark

from tests.conftest import environment, wait_until

HOST = "127.0.0.1"
SPARK_HOME = Path(pyspark.__file__).parent
MASTER_CLASS = "org.apache.spark.deploy.master.Master"
WORKER_CLASS = "org.apache.spark.deploy.worker.Worker"
EXECUTOR_CLASS = "org.apache.spark.executor.CoarseGrainedExecutorBackend"
#: A core on each of two workers, and not all that the machine has: two applications run beside each other.
CONF = {
    "spark.cores.max": "2",
    "spark.executor.cores": "1",
    "spark.executor.memory": "512m",
    "spark.driver.memory": "512m",
    "spark.driver.host": HOST,
    "spark.driver.bindAddress": HOST,
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "2",
}


@dataclass
class Cluster:
    """A running master and its workers."""

    url: str
    """What a program gives as its master: `spark://127.0.0.1:PORT`."""
    logs: Path
    """What each process says, one file each; executors write below `logs/worker-N`."""
    status: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def executors(self) -> list[int]:
        """The process ids of all executors of all applications."""
        workers = {process.pid for process in self.processes}
        return [pid for pid, parent, line in _processes() if parent in workers and EXECUTOR_CLASS in line]

    def workers(self) -> int:
        """How many workers the master knows to be alive."""
        try:
            with urlopen(self.status, timeout=5) as answer:
                return int(json.load(answer)["aliveworkers"])
        except OSError:
            return 0

    def stop(self) -> None:
        """Ends all processes, executors by their workers."""
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            process.wait(timeout=30)


def start_cluster(directory: Path, workers: int, cores: int = 2) -> Cluster:
    """Starts a master and `workers` workers, and waits until they know each other. Their files are in `directory`."""
    port, page = _free_port(), _free_port()
    cluster = Cluster(f"spark://{HOST}:{port}", directory, f"http://{HOST}:{page}/json/")
    master = ["--host", HOST, "--port", str(port), "--webui-port", str(page)]
    cluster.processes.append(_start(directory / "master.log", MASTER_CLASS, *master))
    try:
        wait_until("the master answers", lambda: _answers(cluster.status), 60)
        for number in range(workers):
            own = ["--host", HOST, "--webui-port", "0", "--work-dir", str(directory / f"worker-{number}")]
            limits = ["--cores", str(cores), "--memory", "2G"]
            log = directory / f"worker-{number}.log"
            cluster.processes.append(_start(log, WORKER_CLASS, *own, *limits, cluster.url))
        wait_until("the workers have registered", lambda: cluster.workers() == workers, 60)
    except BaseException:
        cluster.stop()
        raise
    return cluster


def spark_environment(**changes: str) -> dict[str, str]:
    """The environment of a program that runs on the cluster: executors use this Python, which has our wheel."""
    own = {"PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable, "SPARK_LOCAL_IP": HOST}
    return environment(**own, SPARK_HOME=str(SPARK_HOME), **changes)


def _start(log: Path, *command: str) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            [str(SPARK_HOME / "bin" / "spark-class"), *command],
            stdout=output,
            stderr=output,
            env=spark_environment(SPARK_DAEMON_MEMORY="256m"),
        )


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5):
            return True
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


def _processes() -> list[tuple[int, int, str]]:
    """Process id, its parent's, and command line of all processes."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((directory / "stat").read_text().rsplit(")", 1)[1].split()[1])
            line = (directory / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        found.append((int(directory.name), parent, line))
    return found


def is_alive(pid: int) -> bool:
    """Whether the process runs."""
    return os.path.exists(f"/proc/{pid}")
