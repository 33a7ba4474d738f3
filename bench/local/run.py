"""The local service and its rivals side by side, in the same run, interleaved; prints medians with the conditions.

    python bench/local/run.py [--rounds N] [--seconds S] [--large]

kinesalite and kinesis-local (npm) and moto (pip) are installed into bench/local/rivals at the first run; the client is
built by cargo. `--large` adds 1,000 shards with 100 million records of 100 bytes, which takes 17 GB of disk.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
RIVALS = HERE / "rivals"
CLIENT = HERE / "client"
LOAD = CLIENT / "target/release/load"
MILLSTREAM = Path(os.environ.get("MILLSTREAM", ROOT / "target/release/millstream"))
NPM = ["kinesalite@3.3.3", "kinesis-local@0.6.2"]
PIP = ["moto[server]==5.2.5"]
OURS = "millstream"


def install() -> None:
    """Installs what is not there yet."""
    subprocess.run(["cargo", "build", "--release", "--quiet"], cwd=CLIENT, check=True)
    if not (RIVALS / "node_modules/.bin/kinesalite").exists():
        RIVALS.mkdir(exist_ok=True)
        subprocess.run(
            ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", ".", *NPM], cwd=RIVALS, check=True
        )
    if not (RIVALS / "moto/bin/moto_server").exists():
        subprocess.run([sys.executable, "-m", "venv", str(RIVALS / "moto")], check=True)
        subprocess.run([str(RIVALS / "moto/bin/pip"), "install", "--quiet", *PIP], check=True)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def server(name: str, data: Path | None = None, *flags: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A running server: its address and its process."""
    port = free_port()
    environment = dict(os.environ)
    directory = tempfile.mkdtemp(prefix="bench-local-", dir=HERE) if data is None else str(data)
    if name == OURS:
        command = [str(MILLSTREAM), "local", "--port", str(port), "--data-dir", directory, *flags]
    elif name == "kinesalite":
        kinesalite = str(RIVALS / "node_modules/.bin/kinesalite")
        command = [kinesalite, "--port", str(port), "--createStreamMs", "0", "--shardLimit", "2000"]
    elif name == "kinesis-local":
        command = [str(RIVALS / "node_modules/.bin/kinesis-local")]
        environment |= {"KINESIS_MOCK_PLAIN_PORT": str(port), "KINESIS_MOCK_TLS_PORT": str(free_port())}
        environment |= {"CREATE_STREAM_DURATION": "0s", "LOG_LEVEL": "ERROR", "SHARD_LIMIT": "2000"}
    elif name == "moto":
        command = [str(RIVALS / "moto/bin/moto_server"), "-p", str(port)]
    else:
        command = [str(LOAD), "bare", f"127.0.0.1:{port}", *flags]
    quiet = subprocess.DEVNULL
    # kinesis-local looks for its certificate where it is started.
    home = RIVALS / "node_modules/kinesis-local" if name == "kinesis-local" else None
    process = subprocess.Popen(command, env=environment, cwd=home, stdout=quiet, stderr=quiet, text=True)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"{name} does not start: {' '.join(command)}") from None
                time.sleep(0.002)
        yield f"127.0.0.1:{port}", process
    finally:
        process.terminate()
        process.wait(60)
        if data is None:
            shutil.rmtree(directory, ignore_errors=True)


def load(*arguments: object) -> dict[str, float]:
    """Runs the client."""
    command = [str(LOAD), *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        raise SystemExit(f"{' '.join(command)}: {result.stderr[:500]}")
    answer: dict[str, float] = json.loads(result.stdout.splitlines()[-1])
    return answer


def create(address: str, shards: int) -> None:
    """Makes the stream and waits a little for those that take a while."""
    load("create", address, shards)
    time.sleep(1)


def describe(address: str) -> int:
    """How many shards the stream has, from the service itself."""
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": "Kinesis_20131202.DescribeStreamSummary",
        "X-Amz-Date": "20260102T000000Z",
        "Authorization": "AWS4-HMAC-SHA256 Credential=KEY/20260102/us-east-1/kinesis/aws4_request, "
        "SignedHeaders=host, Signature=0",
    }
    request = urllib.request.Request(f"http://{address}/", b'{"StreamName":"bench"}', headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return int(json.load(answer)["StreamDescriptionSummary"]["OpenShardCount"])


def resident_mb(process: subprocess.Popen[str]) -> float:
    """Memory that a process holds."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else float("nan")


class Results:
    """Figures of every round."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))

    def add(self, row: str, who: str, value: float) -> None:
        """One figure of one round."""
        self.rows[row][who].append(value)
        print(f"  {row}: {who} {value:,.0f}", file=sys.stderr)

    def table(self) -> str:
        """Medians, as Markdown."""
        names = list(dict.fromkeys(who for row in self.rows.values() for who in row))
        lines = ["| | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]
        for row, figures in self.rows.items():
            cells = [f"{statistics.median(figures[name]):,.0f}" if name in figures else "" for name in names]
            lines.append(f"| {row} | " + " | ".join(cells) + " |")
        return "\n".join(lines)


def puts(results: Results, who: str, seconds: float, *flags: str) -> None:
    """PutRecords over one and four connections, and PutRecord one by one."""
    label = " ".join([who, *flags]) if flags else who
    for connections in (1, 4):
        with server(who, None, *flags) as (address, _):
            create(address, 4)
            rate = load("put-records", address, connections, seconds, 500, 100)["records_per_second"]
            results.add(f"PutRecords 500 x 100 B, 4 shards, {connections} conn., records/s", label, rate)
    with server(who, None, *flags) as (address, _):
        create(address, 4)
        latency = load("put-record", address, seconds, 100)
        results.add("PutRecord, p50 µs", label, latency["p50_us"])
        results.add("PutRecord, p99 µs", label, latency["p99_us"])


def subscriptions(results: Results, who: str, seconds: float) -> None:
    """From PutRecord to a subscriber of SubscribeToShard."""
    with server(who) as (address, _):
        create(address, 1)
        latency = load("subscribe", address, seconds, 100)
        results.add("PutRecord to subscriber, p50 µs", who, latency["p50_us"])
        results.add("PutRecord to subscriber, p99 µs", who, latency["p99_us"])


def gets(results: Results, who: str, seconds: float) -> None:
    """GetRecords of 10,000 records, and the ceiling for ours."""
    for size, calls, records in ((100, 22, 500), (1000, 25, 400)):
        with server(who) as (address, _), tempfile.TemporaryDirectory() as kept:
            create(address, 1)
            load("fill", address, 1, calls, records, size)
            formats = ["json", "cbor"] if who == OURS else ["json"]
            for form in formats:
                answer = Path(kept) / form
                got = load("get-records", address, seconds, 10_000, form, 0, answer)
                row = f"GetRecords 10,000 x {size:,} B, {form.upper()}, records/s"
                results.add(row, who, got["records_per_second"])
                if who == OURS:
                    with server("bare", None, str(answer)) as (ceiling, _):
                        bare = load("fetch", ceiling, seconds, int(got["records"]))
                        results.add(row, "bare hyper", bare["records_per_second"])
            # What is read again is sent as it was kept: records that are read once cost more.
            for form in formats if who == OURS else []:
                new = load("get-new", address, seconds / 3, 10_000 // records, records, size, form)
                row = f"GetRecords 10,000 x {size:,} B, {form.upper()}, each record once, records/s"
                results.add(row, who, new["records_per_second"])


def idle(results: Results) -> None:
    """From the start of the process to the first connection, and memory then."""
    start = time.monotonic()
    with server(OURS) as (_, process):
        results.add("start, ms", OURS, (time.monotonic() - start) * 1000)
        time.sleep(1)
        results.add("idle, MB", OURS, resident_mb(process))


def large(results: Results) -> None:
    """1,000 shards and 100 million records."""
    data = Path(tempfile.mkdtemp(prefix="bench-local-large-", dir=HERE))
    try:
        with server(OURS, data, "--fsync", "none") as (address, _):
            create(address, 1000)
            load("fill", address, 4, 200_000, 500, 100, 1000)
        start = time.monotonic()
        with server(OURS, data) as (address, process):
            if describe(address) != 1000:
                raise SystemExit("shards are missing")
            results.add("start with 1,000 shards and 100 M records, ms", OURS, (time.monotonic() - start) * 1000)
            results.add("memory then, MB", OURS, resident_mb(process))
            for nth in range(3):
                rate = load("get-records", address, 3, 10_000, "json", 250 * (nth + 1))["records_per_second"]
                results.add("GetRecords 10,000 x 100 B then, records/s", OURS, rate)
                # Started again too: newer records are kept in memory, whatever there is on the disk.
                with tempfile.TemporaryDirectory() as little:
                    with server(OURS, Path(little)) as (other, _):
                        create(other, 1)
                        load("fill", other, 1, 22, 500, 100)
                    with server(OURS, Path(little)) as (other, _):
                        rate = load("get-records", other, 3, 10_000, "json", 0)["records_per_second"]
                        results.add("GetRecords 10,000 x 100 B with little on the disk, records/s", OURS, rate)
            results.add("memory after reading, MB", OURS, resident_mb(process))
    finally:
        shutil.rmtree(data, ignore_errors=True)


def conditions() -> str:
    """What the figures were measured on."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    average = os.getloadavg()
    return (
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} x {model[1] if model else platform.machine()}, Linux "
        f"{platform.release()}, Node {subprocess.run(['node', '-v'], capture_output=True, text=True).stdout.strip()}, "
        f"load average {average[0]:.1f}; rivals: {', '.join(NPM + PIP)}"
    )


def main() -> None:
    """Runs all rounds and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--large", action="store_true")
    arguments = parser.parse_args()
    install()
    results = Results()
    before = conditions()
    for _ in range(arguments.rounds):
        for who in (OURS, "kinesalite", "moto", "kinesis-local"):
            puts(results, who, arguments.seconds)
            gets(results, who, arguments.seconds)
            if who in (OURS, "kinesis-local"):
                subscriptions(results, who, arguments.seconds)
        idle(results)
    if arguments.large:
        large(results)
    print(f"Before: {before}\nAfter: {conditions()}\n\n{results.table()}")


if __name__ == "__main__":
    main()
