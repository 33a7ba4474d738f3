"""Windows over a queue: what PySpark 4.3.0 gives and says."""

from __future__ import annotations

import queue
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from operator import add
from typing import Any

import pytest

from millstream.errors import IllegalArgumentException
from millstream.streaming import DStream, StreamingContext

WAIT_S = 10
BATCH_S = 0.05


def windows(stream: DStream[Any], count: int) -> list[tuple[datetime, list[Any]]]:
    """Runs the stream's context and returns the times and elements, sorted, of its first `count` RDDs."""
    collected: queue.Queue[tuple[datetime, list[Any]]] = queue.Queue()
    stream.foreachRDD(lambda time, rdd: collected.put((time, sorted(rdd.collect()))))
    stream.context().start()
    return [collected.get(timeout=WAIT_S) for _ in range(count)]


def elements(stream: DStream[Any], count: int) -> list[list[Any]]:
    return [rows for _, rows in windows(stream, count)]


def test_a_window_has_the_last_batches_at_each_slide(ssc: StreamingContext) -> None:
    stream = ssc.queueStream([[1], [2], [3], [4], [5]])
    seen = windows(stream.window(3 * BATCH_S, 2 * BATCH_S), 4)
    assert [rows for _, rows in seen] == [[1, 2], [2, 3, 4], [4, 5], []]
    steps = {(after - before).total_seconds() for (before, _), (after, _) in pairwise(seen)}
    assert steps == {2 * BATCH_S}


def test_a_window_slides_by_a_batch_unless_told(ssc: StreamingContext) -> None:
    assert elements(ssc.queueStream([[1], [2], [3]]).window(2 * BATCH_S), 5) == [[1], [1, 2], [2, 3], [3], []]


def test_a_window_over_windows(ssc: StreamingContext) -> None:
    halves = ssc.queueStream([[n] for n in range(1, 9)]).window(2 * BATCH_S, 2 * BATCH_S)
    assert elements(halves.window(4 * BATCH_S, 4 * BATCH_S), 2) == [[1, 2, 3, 4], [5, 6, 7, 8]]


def test_operations_between_have_the_slide_of_their_parent(ssc: StreamingContext) -> None:
    pairs = ssc.queueStream([[1], [2], [3], [4]]).window(2 * BATCH_S, 2 * BATCH_S).map(lambda n: (n % 2, n))
    assert elements(pairs.join(pairs.mapValues(str)), 2) == [
        [(0, (2, "2")), (1, (1, "1"))],
        [(0, (4, "4")), (1, (3, "3"))],
    ]


def test_a_batch_is_computed_once_for_all_its_windows(ssc: StreamingContext) -> None:
    calls = ssc.sparkContext.accumulator(0)
    stream = ssc.queueStream([[1], [2]]).map(lambda n: (calls.add(n), n)[1])
    assert elements(stream.window(3 * BATCH_S), 4) == [[1], [1, 2], [1, 2], [2]]
    assert calls.value == 1 + 2


REDUCED: dict[str, tuple[Callable[[DStream[int]], DStream[Any]], list[list[Any]]]] = {
    "reduceByKeyAndWindow": (
        lambda s: s.map(lambda n: (n % 2, n)).reduceByKeyAndWindow(add, None, 2 * BATCH_S),
        [[(1, 1)], [(0, 2), (1, 1)], [(0, 2), (1, 3)], [(1, 3)], []],
    ),
    "reduceByKeyAndWindow, its slide and partitions": (
        lambda s: s.map(lambda n: (n % 2, n)).reduceByKeyAndWindow(add, None, 2 * BATCH_S, 2 * BATCH_S, 1).glom(),
        [[[(1, 1), (0, 2)]], [[(1, 3)]], [[]]],
    ),
    "reduceByWindow": (lambda s: s.reduceByWindow(add, None, 2 * BATCH_S, BATCH_S), [[1], [3], [5], [3], []]),
}


@pytest.mark.parametrize("name", REDUCED)
def test_reductions(ssc: StreamingContext, name: str) -> None:
    operation, expected = REDUCED[name]
    assert elements(operation(ssc.queueStream([[1], [2], [3]])), len(expected)) == expected


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ((0.12,), "windowDuration"),
        ((0.0,), "windowDuration"),
        ((0.1, 0.07), "slideDuration"),
        ((0.1, 0.0), "slideDuration"),
    ],
)
def test_durations_are_multiples_of_the_slide(ssc: StreamingContext, arguments: tuple[float, ...], name: str) -> None:
    message = rf"{name} must be multiple of the parent dstream's slide \(batch\) duration \(50 ms\)"
    with pytest.raises(ValueError, match=message):
        ssc.queueStream([]).window(*arguments)


def test_streams_of_two_slides_are_not_joined(ssc: StreamingContext) -> None:
    every = ssc.queueStream([[1]])
    second = every.window(2 * BATCH_S, 2 * BATCH_S)
    with pytest.raises(ValueError, match="the two DStream should have same slide duration"):
        every.union(second)
    with pytest.raises(ValueError, match="All DStreams should have same slide duration"):
        ssc.union(every, second)
    with pytest.raises(IllegalArgumentException, match="different slide durations"):
        every.transformWith(lambda a, b: a.union(b), second)
    with pytest.raises(IllegalArgumentException, match="List of DStreams to transform is empty"):
        ssc.transform([], lambda rdds: rdds[0])
