"""The reader for Spark 4.0 and 4.1, called as these call it: they do not say from where a batch's end is asked for."""

from __future__ import annotations

from typing import Any

from structured import options

from tests.conftest import Feed, Service, wait_until


def test_the_first_batch_takes_all_there_is_and_later_ones_what_comes(service: Service) -> None:
    from millstream.spark.options import Options
    from millstream.spark.stream_reader import StreamReaderBefore42

    stream = service.stream(2)
    feed = Feed(service, stream, keys=10)
    feed.put(10)
    given = Options.of(options(service, stream))
    first = StreamReaderBefore42(given)
    start = first.initialOffset()
    end = first.latestOffset()
    assert records(first, start, end) == feed.all()
    feed.put(5)
    wait_until("later records are seen", lambda: counted(first.latestOffset()) > 0, 30)
    first.stop()

    # Spark asks for an empty batch at the last offset of a query that goes on.
    again = StreamReaderBefore42(given)
    assert again.partitions(end, end) == []
    later = again.latestOffset()
    assert counted(later) == 50 and records(again, end, later) == feed.all() - records(again, start, end)
    assert again.latestOffset() is later, "nothing has come"
    again.stop()


def test_the_beginning_may_be_asked_for_after_the_first_batchs_end(service: Service) -> None:
    """Spark 4.0 does so, and had every record twice."""
    from millstream.spark.options import Options
    from millstream.spark.stream_reader import StreamReaderBefore42

    stream = service.stream(2)
    feed = Feed(service, stream, keys=10)
    feed.put(10)
    reader = StreamReaderBefore42(Options.of(options(service, stream)))
    end = reader.latestOffset()
    start = reader.initialOffset()
    assert records(reader, start, end) == feed.all()
    assert reader.latestOffset() == end, "nothing has come"
    feed.put(5)
    later: list[dict[str, Any]] = []
    wait_until("later records are seen", lambda: later.append(reader.latestOffset()) or later[-1] != end, 30)
    assert counted(later[-1]) <= 50 and reader.initialOffset() == start
    reader.stop()


def records(reader: Any, start: dict[str, Any], end: dict[str, Any]) -> set[str]:
    batches = [batch for task in reader.partitions(start, end) for batch in reader.read(task)]
    return {data.decode() for batch in batches for data in batch.column("data").to_pylist()}


def counted(offset: dict[str, Any]) -> int:
    return sum(int(text.split(" ")[2]) for text in offset["batch"].values())
