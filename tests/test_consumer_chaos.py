"""A fleet of `millstream.kcl` workers in trouble: what was put is compared with what was processed.

Six processes share sixteen shards while workers are killed, stopped beyond the failover time and woken as zombies,
ended in an orderly way and started anew, shards are split and merged, and Kinesis and DynamoDB fail now and then.
`make chaos-consumer` runs it for minutes.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable

from conftest import PROGRAMS, REGION, Feed, Ledger, Programs, Service, assert_in_order, stop, wait_until
from millstream.testing import Faults

SECONDS = float(os.environ.get("MILLSTREAM_CHAOS_SECONDS", "12"))
SEED = int(os.environ.get("MILLSTREAM_SEED", "5"))
WORKERS = 6
SHARDS = 16
KEYS = 100
FAILOVER_S = 1.0
MOST_SHARDS = 24
"""Splits stop at so many open shards."""


class Fleet:
    """The workers, and what happens to them and to their stream; each happening is counted."""

    def __init__(self, service: Service, programs: Programs, app: str, ledger: Ledger, chance: random.Random) -> None:
        self.service, self.programs, self.app, self.ledger, self.chance = service, programs, app, ledger, chance
        self.kinesis = service.client("kinesis")
        self.stream = service.stream(SHARDS)
        self.faults = Faults(service.endpoint)
        self.faults.seed(SEED)
        self.happened: Counter[str] = Counter()
        self.workers = [self.start() for _ in range(WORKERS)]
        self.asleep: dict[subprocess.Popen[str], float] = {}

    def start(self) -> subprocess.Popen[str]:
        arguments = self.app, self.stream, self.service.endpoint, REGION, str(self.ledger.path)
        program = str(PROGRAMS / "kcl_ledger.py")
        return self.programs.start(sys.executable, program, *arguments, f"failover={FAILOVER_S}")

    def happen(self) -> None:
        """Wakes who has slept enough, and lets one thing happen."""
        for worker in [worker for worker, until in self.asleep.items() if until < time.monotonic()]:
            self.wake(worker)
        what: Callable[[], bool] = self.chance.choice(
            [self.kill, self.pause, self.end, self.split, self.merge, self.fault]
        )
        if what():
            self.happened[what.__name__] += 1

    def kill(self) -> bool:
        self.replace(lambda worker: (worker.kill(), worker.wait()))
        return True

    def end(self) -> bool:
        self.replace(stop)
        return True

    def replace(self, ends: Callable[[subprocess.Popen[str]], object]) -> None:
        at = self.chance.randrange(WORKERS)
        self.wake(self.workers[at])
        ends(self.workers[at])
        self.workers[at] = self.start()

    def pause(self) -> bool:
        """Stops a worker until others have its shards; it does not know when it wakes."""
        awake = [worker for worker in self.workers if worker not in self.asleep]
        if len(awake) <= WORKERS // 2:
            return False
        worker = self.chance.choice(awake)
        worker.send_signal(signal.SIGSTOP)
        self.asleep[worker] = time.monotonic() + self.chance.uniform(1.5, 3.0) * FAILOVER_S
        return True

    def wake(self, worker: subprocess.Popen[str]) -> None:
        if self.asleep.pop(worker, None) is not None:
            worker.send_signal(signal.SIGCONT)

    def split(self) -> bool:
        shards = self.open_shards()
        if len(shards) >= MOST_SHARDS:
            return False
        shard, (low, high) = self.chance.choice(shards)
        middle = str((low + high) // 2)
        self.kinesis.split_shard(StreamName=self.stream, ShardToSplit=shard, NewStartingHashKey=middle)
        return True

    def merge(self) -> bool:
        shards = self.open_shards()
        if len(shards) < 2:
            return False
        at = self.chance.randrange(len(shards) - 1)
        (first, _), (second, _) = shards[at : at + 2]
        self.kinesis.merge_shards(StreamName=self.stream, ShardToMerge=first, AdjacentShardToMerge=second)
        return True

    def open_shards(self) -> list[tuple[str, tuple[int, int]]]:
        """Ids and hash key ranges, in the order of these."""
        pages = self.kinesis.get_paginator("list_shards").paginate(
            StreamName=self.stream, ShardFilter={"Type": "AT_LATEST"}
        )
        shards = [shard for page in pages for shard in page["Shards"]]
        spans = {
            shard["ShardId"]: tuple(int(shard["HashKeyRange"][end]) for end in ("StartingHashKey", "EndingHashKey"))
            for shard in shards
        }
        return sorted(spans.items(), key=lambda item: item[1])

    def fault(self) -> bool:
        operation = self.chance.choice(["GetRecords", "GetShardIterator", "UpdateItem", "Scan"])
        times = self.chance.randint(1, 40)
        is_read = operation.startswith("Get")
        match self.chance.choice(["error", "refused", "dropped", "cut", "slow"]):
            case "error":
                code = "InternalFailure" if is_read else "InternalServerError"
                self.faults.error(code, status=500, operation=operation, times=times)
            case "refused" if is_read:
                self.faults.throttle(operation=operation, times=times)
            case "refused":
                self.faults.error("ThrottlingException", operation=operation, times=times)
            case "dropped":
                self.faults.drop_connection(operation=operation, times=times)
            case "cut":
                # Carried out, and the worker does not come to know.
                self.faults.truncate(10, operation=operation, times=times)
            case "slow":
                self.faults.latency(0.5 * FAILOVER_S, operation=operation, times=times)
        return True

    def settle(self) -> None:
        """Ends all trouble."""
        self.faults.clear()
        for worker in list(self.asleep):
            self.wake(worker)


def test_a_fleet_in_trouble_loses_nothing(own_service: Service, programs: Programs, app: str, ledger: Ledger) -> None:
    print(f"{SECONDS:.0f} s, seed {SEED}")
    chance = random.Random(SEED)
    fleet = Fleet(own_service, programs, app, ledger, chance)
    feed = Feed(own_service, fleet.stream, keys=KEYS)
    feed.put(rounds=1)
    wait_until("the fleet reads", lambda: feed.all() <= set(ledger.values()), 30)
    pause = threading.Event()
    with feed.kept_up(rounds=1, every_s=0.1):
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            fleet.happen()
            pause.wait(chance.uniform(0.1, 1.0) * FAILOVER_S)
    fleet.settle()
    feed.put(rounds=1)
    wait_until("every record is processed", lambda: len(set(ledger.values())) >= len(feed.all()), 60)
    values = ledger.values()
    again = len(values) - len(feed.all())
    print(f"{len(feed.all())} records, {again} of them again, after {dict(fleet.happened)}")
    assert set(values) == feed.all()
    assert_in_order(values)
    assert again <= most_again(fleet, ledger)
    alive = [worker for worker in fleet.workers if worker.poll() is None]
    assert len(alive) == WORKERS, "no worker ends by itself"
    for worker in alive:
        stop(worker)
    assert [worker.returncode for worker in alive] == [0] * WORKERS
    leases = own_service.leases(app)
    for shard, last in feed.last.items():
        # An ended shard's lease is deleted in the end.
        assert shard not in leases or leases[shard]["checkpoint"] in (last, "SHARD_END"), shard


def most_again(fleet: Fleet, ledger: Ledger) -> int:
    """What may be processed twice: each worker that lost its shards had one call a shard that was not checkpointed."""
    calls = Counter(line.split(" ", 1)[0] for line in ledger.lines)
    lost = fleet.happened["kill"] + fleet.happened["pause"] + fleet.happened["fault"]
    return lost * MOST_SHARDS * max(calls.values())
