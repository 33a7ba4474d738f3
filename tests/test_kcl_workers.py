"""Workers of `millstream.kcl` in processes of their own: nothing is lost by a kill, and shards are shared."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest

from conftest import PROGRAMS, REGION, Feed, Ledger, Programs, Service, assert_in_order, stop, wait_until

FAILOVER_S = 1
KILLS = 5
SEED = 20_132


def start(
    programs: Programs, service: Service, app: str, stream: str, ledger: Ledger, *options: str
) -> subprocess.Popen[str]:
    arguments = [app, stream, service.endpoint, REGION, str(ledger.path), f"failover={FAILOVER_S}", *options]
    return programs.start(sys.executable, str(PROGRAMS / "kcl_ledger.py"), *arguments)


def test_kills_lose_nothing(service: Service, programs: Programs, app: str, ledger: Ledger) -> None:
    chance = random.Random(SEED)
    stream = service.stream(4)
    feed = Feed(service, stream, keys=20)
    with feed.kept_up(rounds=5, every_s=0.05) as done:
        for _ in range(KILLS):
            before = len(ledger.read())
            process = start(programs, service, app, stream, ledger)
            wait_until("records are processed after a kill", lambda seen=before: len(ledger.read()) > seen, 30)
            done.wait(chance.uniform(0.0, 1.0))
            process.kill()
            process.wait()
    start(programs, service, app, stream, ledger)
    wait_until("every record is processed", lambda: feed.all() <= set(ledger.values()), 30)
    values = ledger.values()
    assert set(values) == feed.all()
    assert_in_order(values)
    # At most what each kill left between the write and its checkpoint: a call's records of each shard.
    assert len(values) - len(feed.all()) < len(feed.all())


@pytest.mark.parametrize("options", [(), ("aio",), ("retrieval=fanOut",)], ids=["threads", "asyncio", "fanOut"])
def test_two_workers_share_the_shards_and_one_leaves_without_a_trace(
    service: Service, programs: Programs, app: str, ledger: Ledger, options: tuple[str, ...]
) -> None:
    stream = service.stream(4)
    feed = Feed(service, stream, keys=40)
    start(programs, service, app, stream, ledger, *options)
    feed.put(rounds=2)
    wait_until("the first reads all", lambda: feed.all() <= set(ledger.values()), 30)
    second = start(programs, service, app, stream, ledger, *options)

    def shares() -> list[int]:
        owners = service.owners(app)
        settled = owners.keys().isdisjoint({"", "in handoff"})
        return sorted(len(shards) for shards in owners.values()) if settled else []

    wait_until("two and two", lambda: shares() == [2, 2], 30)
    feed.put(rounds=2)
    wait_until("both read", lambda: feed.all() <= set(ledger.values()), 30)
    stop(second)
    assert second.returncode == 0
    feed.put(rounds=2)
    wait_until("the other reads all shards", lambda: feed.all() <= set(ledger.values()), 30)
    values = ledger.values()
    assert len(values) == len(feed.all()), "nothing is processed again after an orderly stop"
    assert_in_order(values)
