"""Nothing is lost and nothing comes early when a program is killed."""

from __future__ import annotations

import os
import random

from conftest import Feed, Ledger, Programs, Service, assert_in_order, wait_until

KILLS = int(os.environ.get("MILLSTREAM_KILLS", "20"))
SEED = int(os.environ.get("MILLSTREAM_SEED", "20131"))
FAILOVER_S = 1
# Of tests/programs/ledger.py: what a checkpoint may lag behind the outputs, and a batch.
CHECKPOINT_AND_BATCH_S = 0.2 + 0.1
# The write of a checkpoint itself takes time on a busy machine.
WRITING_S = 0.5


def test_kills_lose_nothing_and_repeat_little(service: Service, programs: Programs, app: str, ledger: Ledger) -> None:
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    stream = service.stream(4)
    feed = Feed(service, stream, keys=20)
    allowed = 0
    with feed.kept_up(rounds=5, every_s=0.05) as done:
        for _ in range(KILLS):
            before = len(ledger.read())
            process = programs.ledger(service, app, stream, ledger, millstream__failoverTime=f"{FAILOVER_S}s")
            wait_until("records are processed after a kill", lambda seen=before: len(ledger.read()) > seen, 30)
            done.wait(chance.uniform(0.0, 1.2))
            process.kill()
            process.wait()
            times = ledger.times()
            allowed += sum(time > times[-1] - CHECKPOINT_AND_BATCH_S - WRITING_S for time in times)
    programs.ledger(service, app, stream, ledger, millstream__failoverTime=f"{FAILOVER_S}s")
    expected = feed.all()
    wait_until("every record is processed", lambda: expected <= set(ledger.values()), 30)

    values = ledger.values()
    assert set(values) == expected
    assert_in_order(values)
    again = len(values) - len(expected)
    print(f"{KILLS} kills: {len(expected)} records put, none lost, {again} processed again, {allowed} allowed")
    assert again <= allowed
