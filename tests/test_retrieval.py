"""The settings `spark.millstream.retrieval` and `spark.millstream.consumerName`."""

from __future__ import annotations

import pytest

from conftest import Feed, Ledger, Programs, Service, wait_until


def consumers(service: Service, stream: str) -> list[str]:
    """The names of the stream's consumers for fan-out."""
    kinesis = service.client("kinesis")
    arn = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["StreamARN"]
    return [consumer["ConsumerName"] for consumer in kinesis.list_stream_consumers(StreamARN=arn)["Consumers"]]


@pytest.mark.parametrize(
    ("conf", "expected"),
    [
        ({"millstream__retrieval": "polling"}, []),
        ({"millstream__retrieval": "fanOut"}, ["the application's"]),
        ({"millstream__retrieval": "fanOut", "millstream__consumerName": "pushed"}, ["pushed"]),
    ],
    ids=["polling", "fanOut", "named"],
)
def test_records_come_in_the_way_that_is_set(
    service: Service, programs: Programs, app: str, ledger: Ledger, conf: dict[str, str], expected: list[str]
) -> None:
    stream = service.stream(2)
    feed = Feed(service, stream, keys=10)
    programs.ledger(service, app, stream, ledger, **conf)
    for _ in range(2):
        feed.put(rounds=2)
        wait_until("every record is processed", lambda: feed.all() <= set(ledger.values()), 30)
    assert consumers(service, stream) == [name.replace("the application's", app) for name in expected]


def test_another_way_is_refused_in_words(service: Service, programs: Programs, app: str, ledger: Ledger) -> None:
    process = programs.ledger(service, app, service.stream(1), ledger, millstream__retrieval="push")
    output, _ = process.communicate(timeout=30)
    assert process.returncode != 0
    assert "spark.millstream.retrieval=push is neither polling nor fanOut" in output
