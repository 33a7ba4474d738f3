"""How fast a stream is taken from."""

from __future__ import annotations

from collections import Counter

from conftest import Feed, Ledger, Programs, Service, assert_in_order, wait_until


def test_a_batch_takes_no_more_than_the_rate_allows(
    service: Service, programs: Programs, app: str, ledger: Ledger
) -> None:
    stream = service.stream(4)
    feed = Feed(service, stream, keys=20)
    feed.put(rounds=40)
    programs.ledger(service, app, stream, ledger, streaming__receiver__maxRate="1000")
    wait_until("every record is processed", lambda: len(ledger.read()) >= 800, 30)
    assert sorted(ledger.values()) == sorted(feed.all())
    assert_in_order(ledger.values())
    # Batches of 0.1 s; what a batch has written has one time.
    sizes = Counter(ledger.times()).values()
    assert max(sizes) == 100, sizes
    wait_until("the checkpoints follow", lambda: feed.checkpointed(service, app), 30)
