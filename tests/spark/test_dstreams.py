"""Streams on a cluster: the deck's program and all kinds of operations, against one machine."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import PROGRAMS, REGION, ROOT, Feed, Ledger, Service, serving, wait_until

if TYPE_CHECKING:
    from applications import Application, Applications, Counts

DECK = ROOT / "examples" / "deck" / "kinesis_wordcount.py"
WORDS = ("be", "is", "not", "or", "question", "that", "the", "to")
SEED = 7


@pytest.fixture
def stream(service: Service) -> str:
    return service.stream(4)


@pytest.fixture
def counts(applications: Applications, service: Service, app: str, stream: str) -> Counts:
    from applications import Counts

    return Counts(applications, service, app, stream)


def put_words(service: Service, stream: str, records: int) -> Counter[str]:
    """Puts so many lines of random words; how often each word is in them."""
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    lines = [" ".join(chance.choices(WORDS, k=chance.randint(1, 8))) for _ in range(records)]
    kinesis = service.client("kinesis")
    for start in range(0, records, 500):
        batch = [{"Data": line.encode(), "PartitionKey": str(chance.random())} for line in lines[start : start + 500]]
        assert kinesis.put_records(StreamName=stream, Records=batch)["FailedRecordCount"] == 0
    return Counter(word for line in lines for word in line.split(" "))


def printed(application: Application) -> Counter[str]:
    """The sums of what the deck's program has printed in all batches."""
    totals: Counter[str] = Counter()
    for word, count in re.findall(r"^\('(\w+)', (\d+)\)$", application.said(), re.MULTILINE):
        totals[word] += int(count)
    return totals


@pytest.mark.parametrize("carried", ["1024", "0"])
def test_the_decks_program_counts_on_a_cluster_as_on_one_machine(
    applications: Applications, service: Service, stream: str, app: str, carried: str
) -> None:
    rest = (stream, service.endpoint, REGION)
    conf = {"millstream__cluster__carriedKiB": carried}
    clustered = applications.submit(DECK, app, *rest, **conf)
    local = applications.run("local[2]", DECK, f"{app}-local", *rest)
    expected = put_words(service, stream, 3000)
    wait_until("one machine has counted", lambda: printed(local).total() >= expected.total(), 180)
    wait_until("the cluster has counted", lambda: printed(clustered).total() >= expected.total(), 180)
    assert printed(clustered) == printed(local) == expected
    assert re.search(r"^Time: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d", clustered.said(), re.MULTILINE)
    assert "Traceback" not in clustered.said()


@pytest.fixture
def limited() -> Iterator[Service]:
    """A service that enforces AWS's quotas."""
    with serving("--enforce-limits") as service:
        yield service


@pytest.mark.parametrize("retrieval", ["polling", "fanOut"])
def test_executors_and_driver_share_the_quota_of_a_shard(
    applications: Applications, limited: Service, app: str, retrieval: str
) -> None:
    stream = limited.stream(4)
    conf = {"millstream__cluster__carriedKiB": "0", "millstream__retrieval": retrieval}
    program = applications.submit(DECK, app, stream, limited.endpoint, REGION, **conf)
    expected = put_words(limited, stream, 500)
    wait_until("all words are counted", lambda: printed(program).total() >= expected.total(), 180)
    more = put_words(limited, stream, 500)
    wait_until("more words are counted", lambda: printed(program).total() >= (expected + more).total(), 180)
    assert printed(program) == expected + more
    assert "Traceback" not in program.said()


def test_states_and_windows_on_a_cluster(service: Service, counts: Counts, stream: str) -> None:
    feed = Feed(service, stream, keys=20)
    feed.put(rounds=5)
    counts.start()
    wait_until("the first records are counted", lambda: counts.read().get("totals") == totals(feed), 180)
    feed.put(rounds=3)
    wait_until("all records are counted", lambda: counts.read().get("totals") == totals(feed), 180)
    last = counts.read()
    assert [last[name] for name in ("mapped", "window")] == [totals(feed)] * 2
    wait_until("the short window is empty", lambda: counts.read()["short"] == {}, 180)
    assert counts.read()["ended"] == totals(feed), "every session has ended"


def totals(feed: Feed) -> dict[str, int]:
    """The totals that count every record put so far once."""
    return dict(Counter(record.split(":")[0] for record in feed.all()))


def test_an_executor_that_is_killed_in_mid_batch_loses_nothing(service: Service, counts: Counts, stream: str) -> None:
    from applications import executor_of, kill

    feed = Feed(service, stream, keys=20)
    feed.put(rounds=2)
    # Executors read the ranges themselves, also those that are read once more.
    counts.start(millstream__cluster__carriedKiB="0")
    wait_until("the first records are counted", lambda: counts.read().get("totals") == totals(feed), 180)
    counts.hold()
    feed.put(rounds=4)
    kill(executor_of(counts.wait_for_holding()))
    counts.go_on()
    wait_until("all records are counted", lambda: counts.read().get("totals") == totals(feed), 180)
    assert [counts.read()[name] for name in ("mapped", "window")] == [totals(feed)] * 2


def test_a_driver_that_is_killed_goes_on_with_exact_states(service: Service, counts: Counts, stream: str) -> None:
    feed = Feed(service, stream, keys=20)
    feed.put(rounds=2)
    driver = counts.start()
    wait_until("the first records are counted", lambda: counts.read().get("totals") == totals(feed), 180)
    counts.hold()
    feed.put(rounds=4)
    counts.wait_for_holding()
    driver.kill()
    counts.go_on()
    feed.put(rounds=1)
    counts.start()
    wait_until("all records are counted", lambda: counts.read().get("totals") == totals(feed), 180)
    assert [counts.read()[name] for name in ("mapped", "window")] == [totals(feed)] * 2


def test_two_drivers_of_one_application_share_the_shards(
    applications: Applications, service: Service, app: str, stream: str, tmp_path: Path
) -> None:
    ledgers = [Ledger(tmp_path / f"ledger-{number}") for number in range(2)]
    for ledger in ledgers:
        arguments = (app, stream, service.endpoint, REGION, str(ledger.path), "1")
        applications.submit(PROGRAMS / "ledger.py", *arguments, cores__max="1", millstream__failoverTime="5s")
    feed = Feed(service, stream, keys=20)
    with feed.kept_up(rounds=1, every_s=0.5):
        wait_until("both have two shards", lambda: sorted(map(len, service.owners(app).values())) == [2, 2], 180)
        wait_until("both process records", lambda: all(ledger.read() for ledger in ledgers), 180)
    wait_until(
        "every record is processed", lambda: {v for ledger in ledgers for v in ledger.values()} == feed.all(), 180
    )
