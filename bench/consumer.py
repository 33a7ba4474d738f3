"""The consumer beside the Java KCL and kcl-rs, on the same local service, in the same run, interleaved.

    python bench/consumer.py [--rounds N] [--rivals millstream,millstream-columns,kcl-rs,java]
                             [--only drain,polling,fanOut,fleet,many]

kcl-rs (pip) and the Java KCL (Maven; needs Java 17) are installed into bench/rivals at the first run. Each worker is a
process that counts records and checkpoints after each call, with its library's defaults but for the time between reads.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import kinesis
from kinesis import put, service
from table import Table
from workers import RIVAL_MAKERS, Rival, Worker

ROOT = Path(__file__).resolve().parent.parent
RECORDS, SHARDS = 1_000_000, 4
#: Data of 100 bytes, the line's end not among them.
LINES = "".join(f"{number:099}x\n" for number in range(10_000))
IDLE_S = 10.0
PUTS, PUT_EVERY_S = 300, 0.03
#: How long another worker is waited for. The Java KCL 3 weighs workers by their load, and here there is none: it leaves
#: all with the first.
SHARE_S = 60
#: So many shards have ten records of each of so many rounds, about.
MANY_SHARDS, ROUNDS = 1_000, 20
#: Five reads a second and shard, which is what AWS answers.
PACE_MS = 200


class Stream(kinesis.Stream):
    """A stream of the local service that workers read."""

    def start(self, rival: Rival, app: str, retrieval: str = "polling", idle_ms: int = PACE_MS) -> Worker:
        return rival.start(self.endpoint, app, self.name, retrieval, idle_ms, timed=True)


def drain(table: Table, rivals: list[Rival]) -> None:
    """A million records that are there, read as quickly as it goes."""
    with service("--stream", f"records:{SHARDS}") as endpoint:
        put(endpoint, "records", LINES * (RECORDS // 10_000))
        for rival in rivals:
            tell(rival, "drain")
            worker = rival.start(endpoint, application(), "records", "polling", 1, timed=False)
            worker.wait_for_records(RECORDS)
            assert worker.first is not None
            used, resident = worker.cpu_s() - worker.cpu_at_first, worker.resident_mb()
            table.add("fresh table to first record, s", rival.name, worker.first - worker.began)
            rate = RECORDS / (worker.last - worker.first)
            table.add(
                f"drain {RECORDS:,} records of 100 B, {SHARDS} shards, records/s", rival.name, rate, more_is_better=True
            )
            table.add("CPU seconds for them", rival.name, used)
            table.add("resident memory after them, MB", rival.name, resident)
            worker.kill()
        for line in limit(endpoint, "records").splitlines():
            written, parsed = line.split()
            figure = "the same answers parsed into columns on one core, with nothing else, records/s"
            table.add(figure, written, float(parsed), more_is_better=True)


def limit(endpoint: str, stream: str) -> str:
    """What no consumer can reach: bench/limit, and what it says."""
    target = {"CARGO_TARGET_DIR": str(ROOT / "target")}
    subprocess.run(
        ["cargo", "build", "--quiet", "--release"], cwd=ROOT / "bench/limit", env={**os.environ, **target}, check=True
    )
    command = [str(ROOT / "target/release/millstream-limit"), endpoint, stream]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def latencies(table: Table, rivals: list[Rival], retrieval: str) -> None:
    """From the put to the processor, some 30 records a second; and memory while nothing comes."""
    for rival in rivals:
        tell(rival, retrieval)
        with service("--stream", f"records:{SHARDS}") as endpoint:
            stream = Stream(endpoint, "records")
            worker = stream.start(rival, application(), retrieval)
            worker.wait_for_shards(SHARDS)
            time.sleep(IDLE_S)
            table.add(f"resident memory, {SHARDS} idle shards, {retrieval}, MB", rival.name, worker.resident_mb())
            stream.put_until(lambda worker=worker: worker.records > 0, PUT_EVERY_S)
            seen = worker.records
            for key in range(PUTS):
                stream.put_now(key)
                time.sleep(PUT_EVERY_S)
            worker.wait_for_records(seen + PUTS)
            found = worker.latencies_ms[seen:]
            table.add(f"put to process, {retrieval}, ms, p50", rival.name, *found)
            table.add(f"put to process, {retrieval}, ms, p99", rival.name, *found, p99=True)
            worker.kill()


def fleet(table: Table, rivals: list[Rival]) -> None:
    """How soon another worker reads: one that joins, after a kill, after SIGTERM; and how soon children are read."""
    for rival in rivals:
        tell(rival, "fleet")
        with service("--stream", f"records:{SHARDS}") as endpoint:
            stream, app = Stream(endpoint, "records"), application()
            first = stream.start(rival, app)
            first.wait_for_shards(SHARDS)
            second = stream.start(rival, app)
            joined = second.shards_within(SHARDS // 2, SHARE_S)
            table.add("second worker has its half of the shards after, s", rival.name, joined - second.began)
            first.kill()
            killed = time.monotonic()
            table.add(
                "all shards read again after kill -9 of one of two, s",
                rival.name,
                second.wait_for_shards(SHARDS) - killed,
            )
            third = stream.start(rival, app)
            third.shards_within(SHARDS // 2, SHARE_S)
            asked = time.monotonic()
            second.stop()
            table.add(
                "all shards read again after SIGTERM of one of two, s",
                rival.name,
                third.wait_for_shards(SHARDS) - asked,
            )
            stream.put_until(lambda worker=third: worker.records > 0, PUT_EVERY_S)
            split = time.monotonic()
            middle = str(2**128 // SHARDS // 2)
            stream.kinesis.split_shard(
                StreamName=stream.name, ShardToSplit="shardId-000000000000", NewStartingHashKey=middle
            )
            table.add("children read after a split, s", rival.name, third.wait_for_shards(SHARDS + 2) - split)
            third.kill()


def many(table: Table, rivals: list[Rival]) -> None:
    """Memory with a thousand shards, while records come to all of them."""
    for rival in rivals:
        tell(rival, "many")
        with service("--stream", f"records:{MANY_SHARDS}") as endpoint:
            worker = rival.start(endpoint, application(), "records", "polling", PACE_MS, timed=False)
            worker.wait_for_shards(MANY_SHARDS)
            for number in range(ROUNDS):
                put(endpoint, "records", LINES)
                worker.wait_for_records((number + 1) * LINES.count("\n"))
            table.add(f"resident memory, {MANY_SHARDS:,} shards read, MB", rival.name, worker.resident_mb())
            worker.kill()


FIGURES: dict[str, Callable[[Table, list[Rival]], None]] = {
    "drain": drain,
    "polling": lambda table, rivals: latencies(table, rivals, "polling"),
    "fanOut": lambda table, rivals: latencies(table, rivals, "fanOut"),
    "fleet": fleet,
    "many": many,
}


def application() -> str:
    """A name that is new."""
    return f"bench-{uuid.uuid4().hex[:8]}"


def tell(rival: Rival, figure: str) -> None:
    print(f"{rival.name}: {figure}", file=sys.stderr)


def names(text: str, known: dict[str, object]) -> list[str]:
    """Those of a list with commas."""
    given = text.split(",")
    if unknown := set(given) - set(known):
        sys.exit(f"not known: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return given


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--rivals", default=",".join(RIVAL_MAKERS), help="consumers, separated by commas")
    arguments.add_argument("--only", default=",".join(FIGURES), help="figures, separated by commas")
    options = arguments.parse_args()
    rivals = [RIVAL_MAKERS[name]() for name in names(options.rivals, dict(RIVAL_MAKERS))]
    figures = names(options.only, dict(FIGURES))
    table, done = Table(), 0
    try:
        for number in range(options.rounds):
            print(f"round {number + 1}", file=sys.stderr)
            for figure in figures:
                FIGURES[figure](table, rivals)
            done += 1
    except KeyboardInterrupt:
        print("interrupted: the last round is not complete", file=sys.stderr)
    table.print(done, ", ".join(rival.name for rival in rivals))


if __name__ == "__main__":
    main()
