"""The state of a program that is killed and started again is that of one that ran on."""

from __future__ import annotations

import json
import os
import random
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from conftest import PROGRAMS, REGION, Feed, Programs, Service, wait_until

KILLS = int(os.environ.get("MILLSTREAM_KILLS", "4"))
SEED = int(os.environ.get("MILLSTREAM_SEED", "6"))


class Counts:
    """Runs of tests/programs/counts.py and what the last one has written."""

    def __init__(self, programs: Programs, service: Service, app: str, stream: str, directory: Path) -> None:
        self.programs = programs
        self.path = directory / "counts"
        self.checkpoint = directory / "checkpoint"
        self.arguments = app, stream, service.endpoint, REGION, str(self.path), str(self.checkpoint)

    def start(self, **conf: str) -> Any:
        return self.programs.submit(PROGRAMS / "counts.py", *self.arguments, millstream__failoverTime="1s", **conf)

    def wait_for_output(self, process: Any, text: str) -> str:
        """The line with `text`, once the program has printed it."""
        for line in process.stdout:
            print(line, end="")
            if text in line:
                return str(line)
        raise AssertionError(f"the program has ended without saying {text!r}")

    def fail(self, fails: bool) -> None:
        """Lets batches fail, or not any more."""
        path = self.path.with_suffix(".fail")
        path.touch() if fails else path.unlink()

    def read(self) -> dict[str, Any]:
        return json.loads(self.path.read_text()) if self.path.exists() else {}


@pytest.fixture
def stream(service: Service) -> str:
    return service.stream(4)


@pytest.fixture
def counts(programs: Programs, service: Service, app: str, stream: str, tmp_path: Path) -> Counts:
    return Counts(programs, service, app, stream, tmp_path)


@pytest.fixture
def own_stream(own_service: Service) -> str:
    return own_service.stream(4)


@pytest.fixture
def own_counts(programs: Programs, own_service: Service, app: str, own_stream: str, tmp_path: Path) -> Counts:
    return Counts(programs, own_service, app, own_stream, tmp_path)


def totals(feed: Feed) -> dict[str, int]:
    """The totals that count every record put so far once."""
    return dict(Counter(record.split(":")[0] for record in feed.all()))


def test_state_after_kills_is_that_of_a_run_without(service: Service, counts: Counts, stream: str) -> None:
    print(f"{KILLS} kills, seed {SEED}")
    chance = random.Random(SEED)
    feed = Feed(service, stream, keys=20)
    with feed.kept_up(rounds=2, every_s=0.02) as done:
        for _ in range(KILLS):
            before = counts.read().get("time")
            process = counts.start()
            wait_until("a batch runs after a kill", lambda seen=before: counts.read().get("time") != seen, 30)
            done.wait(chance.uniform(0.0, 1.0))
            process.kill()
            process.wait()
    counts.start()
    expected = totals(feed)
    every = sum(expected.values())
    wait_until("every record is counted", lambda: sum(counts.read().get("totals", {}).values()) >= every, 60)
    wait_until("the short window is empty", lambda: counts.read()["short"] == {}, 60)
    wait_until("every session has ended", lambda: sum(counts.read()["ended"].values()) >= every, 60)
    last = counts.read()
    assert [last[name] for name in ("totals", "mapped", "window", "ended")] == [expected] * 4
    assert len(list(counts.checkpoint.glob("checkpoint-*"))) == 1


def with_an_open_batch(service: Service, counts: Counts, stream: str) -> Feed:
    """Leaves a program dead that has counted some records and failed on others."""
    feed = Feed(service, stream, keys=20)
    feed.put(rounds=5)
    process = counts.start()
    wait_until("the first records are counted", lambda: counts.read().get("totals") == totals(feed), 30)
    counts.fail(True)
    feed.put(rounds=3)
    counts.wait_for_output(process, "this batch fails")
    process.kill()
    process.wait()
    counts.fail(False)
    return feed


def test_what_a_failed_batch_had_is_counted_once_after_a_restart(service: Service, counts: Counts, stream: str) -> None:
    feed = with_an_open_batch(service, counts, stream)
    feed.put(rounds=2)
    counts.start()
    wait_until("all records are counted", lambda: counts.read().get("totals") == totals(feed), 30)
    assert counts.read()["window"] == totals(feed)


def advance(service: Service, seconds: int) -> None:
    """Sets the service's clock ahead."""
    body = json.dumps({"advance_seconds": seconds}).encode()
    ahead = urllib.request.Request(f"{service.endpoint}/_millstream/clock", body, {"Content-Type": "application/json"})
    urllib.request.urlopen(ahead).close()


def test_of_a_stream_that_was_made_again_the_loss_is_told_and_the_rest_counted(
    own_service: Service, own_counts: Counts, own_stream: str
) -> None:
    feed = with_an_open_batch(own_service, own_counts, own_stream)
    known = own_counts.read()["totals"]
    kinesis = own_service.client("kinesis")
    kinesis.delete_stream(StreamName=own_stream)
    kinesis.get_waiter("stream_not_exists").wait(StreamName=own_stream, WaiterConfig={"Delay": 1})
    # Sequence numbers tell shards apart by the second in which they were opened.
    advance(own_service, 5)
    kinesis.create_stream(StreamName=own_stream, ShardCount=4)
    kinesis.get_waiter("stream_exists").wait(StreamName=own_stream, WaiterConfig={"Delay": 1})
    process = own_counts.start()
    own_counts.wait_for_output(process, "are not in the stream any more")
    process.kill()
    process.wait()
    feed.put(rounds=2)
    process = own_counts.start(millstream__failOnDataLoss="false")
    expected = {key: count + 2 for key, count in known.items()}
    wait_until("what the new stream holds is counted", lambda: own_counts.read().get("totals") == expected, 30)
    assert process.poll() is None


def test_a_program_that_may_lose_records_goes_on_without_them(
    own_service: Service, own_counts: Counts, own_stream: str
) -> None:
    feed = with_an_open_batch(own_service, own_counts, own_stream)
    known = own_counts.read()["totals"]
    advance(own_service, 25 * 3600)
    process = own_counts.start()
    assert "failOnDataLoss" in own_counts.wait_for_output(process, "are not in the stream any more")
    process.kill()
    process.wait()
    process = own_counts.start(millstream__failOnDataLoss="false")
    assert "failOnDataLoss" not in own_counts.wait_for_output(process, "the batch runs without them")
    feed.put(rounds=2)
    expected = {key: count + 2 for key, count in known.items()}
    wait_until("what comes now is counted", lambda: own_counts.read().get("totals") == expected, 30)
    assert own_counts.read()["mapped"] == expected
    assert process.poll() is None
