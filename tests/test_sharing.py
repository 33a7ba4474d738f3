"""Processes of one application share the shards; applications don't disturb each other."""

from __future__ import annotations

import signal
import time

from conftest import Feed, Ledger, Programs, Service, stop, wait_until

FAILOVER_S = 10
GRACEFUL = {"streaming__stopGracefullyOnShutdown": "true"}


def shares(service: Service, app: str) -> list[int]:
    """How many shards each owner holds; the least first."""
    owners = service.owners(app)
    return (
        sorted(len(shards) for owner, shards in owners.items()) if owners.keys().isdisjoint({"", "in handoff"}) else []
    )


def reads_everything(feed: Feed, ledger: Ledger) -> bool:
    return feed.all() <= set(ledger.values())


def test_two_processes_settle_and_take_over_from_a_killed_one(
    service: Service, programs: Programs, app: str, ledger: Ledger
) -> None:
    stream = service.stream(4)
    feed = Feed(service, stream, keys=40)
    programs.ledger(service, app, stream, ledger)
    wait_until("the first process holds all shards", lambda: shares(service, app) == [4], 20)
    second = programs.ledger(service, app, stream, ledger)
    wait_until("the shards are shared two and two", lambda: shares(service, app) == [2, 2], 20)
    feed.put(rounds=2)
    wait_until("both read", lambda: reads_everything(feed, ledger), 10)
    wait_until("checkpoints are written", lambda: feed.checkpointed(service, app), 5)

    second.kill()
    killed = time.monotonic()
    feed.put(rounds=2)
    wait_until("the survivor reads all shards", lambda: reads_everything(feed, ledger), FAILOVER_S + 5)
    print(f"taken over {time.monotonic() - killed:.1f} s after the kill, failover time {FAILOVER_S} s")
    assert shares(service, app) == [4]
    assert len(ledger.values()) == len(feed.all()), "sharing and taking over repeat nothing that was checkpointed"


def test_shards_of_a_stopped_process_move_at_once(
    service: Service, programs: Programs, app: str, ledger: Ledger
) -> None:
    stream = service.stream(4)
    feed = Feed(service, stream, keys=40)
    programs.ledger(service, app, stream, ledger)
    second = programs.ledger(service, app, stream, ledger, **GRACEFUL)
    wait_until("the shards are shared two and two", lambda: shares(service, app) == [2, 2], 20)
    feed.put(rounds=3)
    wait_until("both read", lambda: reads_everything(feed, ledger), 10)

    stop(second)
    assert second.returncode == 128 + signal.SIGTERM, "as spark-submit"
    stopped = time.monotonic()
    feed.put(rounds=3)
    wait_until("the other reads all shards", lambda: reads_everything(feed, ledger), 2)
    print(f"moved {time.monotonic() - stopped:.2f} s after the graceful stop")
    assert len(ledger.values()) == len(feed.all()), "nothing is processed again after a graceful stop"


def test_two_applications_each_see_every_record(service: Service, programs: Programs, app: str, ledger: Ledger) -> None:
    stream = service.stream(2)
    feed = Feed(service, stream, keys=10)
    other = Ledger(ledger.path.with_name("other"))
    programs.ledger(service, app, stream, ledger)
    programs.ledger(service, f"{app}-other", stream, other)
    feed.put(rounds=20)
    wait_until("both have everything", lambda: reads_everything(feed, ledger) and reads_everything(feed, other), 20)
    assert sorted(ledger.values()) == sorted(other.values()) == sorted(feed.all())
