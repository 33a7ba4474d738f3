"""The demo: a year of flights through a stream of the local service, read by the deck's program.

python demo/run.py [--second]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import flights

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
APP, STREAM, REGION = "carrier-delays", "flights", "us-east-1"
PROGRAM = ROOT / "examples" / "flights" / "carrier_delays.py"
# With a second process: slow enough that it finds something left to share.
PACED = "spark.millstream.kinesis.maxRecords=2000"
PATIENCE_S = 120


@contextmanager
def local_service(data: Path) -> Iterator[str]:
    """`millstream local` with a stream of four shards; gives its endpoint."""
    command = [str(BIN / "millstream"), "local", "--port", "0", "--data-dir", str(data), "--stream", f"{STREAM}:4"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        ready = re.search(r"http://\S+", service.stdout.readline())
        if ready is None:
            sys.exit("the local service did not start; its message is above")
        try:
            yield ready.group()
        finally:
            service.terminate()


def put(endpoint: str) -> None:
    """Puts every flight, keyed by carrier, with a progress bar."""
    command = [str(BIN / "millstream"), "put", STREAM, "--key-field", "carrier"]
    command += ["--total", str(flights.COUNT), "--endpoint-url", endpoint]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        for line in flights.lines():
            process.stdin.write(line + "\n")
    if process.returncode != 0:
        sys.exit("the flights could not be put; the message is above")


class Worker:
    """One process of the application."""

    def __init__(self, endpoint: str, audit: Path, paced: bool) -> None:
        command = [str(BIN / "millstream"), "submit", "--master", "local[2]"]
        command += ["--conf", PACED] if paced else []
        command += ["--conf", "spark.streaming.stopGracefullyOnShutdown=true"]
        command += [str(PROGRAM), APP, STREAM, endpoint, REGION, str(audit)]
        self.started = time.time()
        self.process = subprocess.Popen(command)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(timeout=PATIENCE_S) not in (0, -signal.SIGTERM, 128 + signal.SIGTERM):
            sys.exit(f"the program failed with exit code {self.process.returncode}; its message is above")

    def resident_mb(self) -> float:
        """Highest resident memory so far, in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        peak = re.search(r"VmHWM:\s+(\d+)", status)
        return int(peak.group(1)) / 1024 if peak else float("nan")


class Audit:
    """What the batches left in the audit directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.seen: set[int] = set()
        self.records: dict[int, int] = {}
        self.batches = 0
        self.times: list[float] = []
        self.read: set[str] = set()

    def update(self) -> None:
        for path in sorted(self.directory.glob("*.ids")):
            if path.name in self.read:
                continue
            self.read.add(path.name)
            process, at = path.stem.split("-")
            ids = array("I", path.read_bytes())
            self.seen.update(ids)
            self.records[int(process)] = self.records.get(int(process), 0) + len(ids)
            self.batches += 1
            self.times.append(float(at))


def shards_by_owner(endpoint: str) -> dict[str, list[str]]:
    """Who holds which shard, from the lease table."""
    command = [str(BIN / "millstream"), "leases", APP, "--output", "json", "--endpoint-url", endpoint]
    leases = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    owners: dict[str, list[str]] = {}
    for lease in leases:
        if lease["owner"] is not None:
            owners.setdefault(lease["owner"], []).append(lease["lease"])
    return owners


def run(directory: Path, second: bool) -> bool:
    audit = Audit(directory / "audit")
    audit.directory.mkdir()
    with local_service(directory / "data") as endpoint:
        put(endpoint)
        workers = [Worker(endpoint, audit.directory, paced=second)]
        sharing: dict[str, list[str]] = {}
        try:
            deadline = time.monotonic() + PATIENCE_S
            while len(audit.seen) < flights.COUNT and time.monotonic() < deadline:
                audit.update()
                if any(worker.process.poll() is not None for worker in workers):
                    sys.exit("the program ended before it was done; its message is above")
                if second and len(workers) == 1 and audit.batches > 0:
                    workers.append(Worker(endpoint, audit.directory, paced=second))
                if len(workers) == 2 and len(sharing) < 2:
                    sharing = shards_by_owner(endpoint)
                time.sleep(0.1)
            memory = [worker.resident_mb() for worker in workers]
        finally:
            for worker in workers:
                worker.stop()
        audit.update()
    summary(audit, workers, memory, sharing)
    return len(audit.seen) == flights.COUNT


def summary(audit: Audit, workers: list[Worker], memory: list[float], sharing: dict[str, list[str]]) -> None:
    processed = sum(audit.records.values())
    seconds = max(audit.times) - workers[0].started
    verdict = "every record was processed" if len(audit.seen) == flights.COUNT else "RECORDS ARE MISSING"
    print(f"\n{verdict}: {flights.COUNT:,} put, {len(audit.seen):,} processed, {processed - len(audit.seen):,} again")
    print(f"batches with records: {audit.batches}; {processed / seconds:,.0f} records/s from the start of the process")
    print(f"first batch done {min(audit.times) - workers[0].started:.2f} s after the start of the process")
    for worker, peak in zip(workers, memory, strict=True):
        records = audit.records.get(worker.process.pid, 0)
        print(f"process {worker.process.pid}: {records:,} records, {peak:.0f} MB of memory at most")
    for owner, shards in sorted(sharing.items()):
        print(f"worker {owner} held {', '.join(sorted(shards))}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--second", action="store_true", help="start a second process on the way")
    second = arguments.parse_args().second
    os.environ.setdefault("AWS_ACCESS_KEY_ID", "local")
    os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "local")
    directory = Path(tempfile.mkdtemp(prefix="millstream-demo-"))
    try:
        done = run(directory, second)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    sys.exit(0 if done else 1)


if __name__ == "__main__":
    main()
