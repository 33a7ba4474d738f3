"""State by key over a queue: what PySpark 4.3.0 gives and says."""

from __future__ import annotations

import queue
from collections.abc import Callable
from operator import add, sub
from typing import Any

import pytest
from batches import WAIT_S, elements

from millstream.errors import IllegalArgumentException, UnsupportedOperationException
from millstream.rdd import RDD
from millstream.streaming import DStream, StreamingContext

BATCH_S = 0.05


def total(values: list[int], state: int | None) -> int | None:
    """The sum; a key whose sum becomes 0 is forgotten."""
    return sum(values, state or 0) or None


def test_state_is_updated_for_all_keys_in_each_batch(stateful: StreamingContext) -> None:
    calls: list[tuple[list[int], int | None]] = []

    def update(values: list[int], state: int | None) -> int | None:
        calls.append((values, state))
        return total(values, state)

    stream = stateful.queueStream([[("a", 1), ("b", 2), ("a", 3)], [("b", -2), ("c", 5)], []])
    assert elements(stream.updateStateByKey(update, 2), 3) == [
        [("a", 4), ("b", 2)],
        [("a", 4), ("c", 5)],
        [("a", 4), ("c", 5)],
    ]
    assert sorted(calls[:2], key=str) == [([1, 3], None), ([2], None)]
    assert sorted(calls[2:5], key=str) == [([-2], 2), ([5], None), ([], 4)]


def test_state_may_begin_with_an_rdd(stateful: StreamingContext) -> None:
    stream = stateful.queueStream([[("a", 1), ("b", 1)]])
    initial: list[tuple[str, int]] = [("a", 10), ("z", 7), ("a", 99)]
    assert elements(stream.updateStateByKey(total, initialRDD=initial), 1) == [[("a", 11), ("b", 1), ("z", 7)]]


def test_state_has_the_partitions_asked_for(stateful: StreamingContext) -> None:
    stream = stateful.queueStream([[(n, n) for n in range(6)]]).updateStateByKey(total, 2).glom()
    assert elements(stream, 1) == [[[(1, 1), (3, 3), (5, 5)], [(2, 2), (4, 4)]]]


def test_a_batch_that_failed_is_in_the_state_once_it_can_be_computed(stateful: StreamingContext) -> None:
    broken = [True]

    def update(values: list[int], state: int | None) -> int | None:
        if broken.pop() if broken else False:
            raise ValueError("not now")
        return total(values, state)

    seen: queue.Queue[list[Any]] = queue.Queue()
    stream = stateful.queueStream([[("a", 1)], [("a", 2)]]).updateStateByKey(update)
    stream.foreachRDD(lambda rdd: seen.put(rdd.collect()))
    stateful.start()
    with pytest.raises(ValueError, match="not now"):
        stateful.awaitTermination(WAIT_S)
    assert seen.get(timeout=WAIT_S) == [("a", 3)]


def test_state_keeps_nothing_of_the_batches_it_is_made_of(stateful: StreamingContext) -> None:
    rdds: queue.Queue[RDD[Any]] = queue.Queue()
    stream = stateful.queueStream([[("a", 1)]], default=[("a", 1)]).updateStateByKey(total)
    stream.foreachRDD(lambda rdd: rdds.put(rdd) or rdd.count())
    stateful.start()
    lineages = [rdds.get(timeout=WAIT_S) for _ in range(10)]
    assert rdds.get(timeout=WAIT_S)
    assert {rdd.toDebugString() for rdd in lineages} == {b"(3) StateRDD"}


TEN = [[("a", 1)], [("b", 2)], [("a", 4)], [], [], [], [], [("a", 8)]]
#: Over windows of five batches, the expected first windows.
INVERSE: dict[str, tuple[Callable[[Any], DStream[Any]], list[list[Any]]]] = {
    "a total stays after its last value has gone": (
        lambda s: s.reduceByKeyAndWindow(add, sub, 5 * BATCH_S),
        [
            [("a", 1)],
            [("a", 1), ("b", 2)],
            [("a", 5), ("b", 2)],
            [("a", 5), ("b", 2)],
            [("a", 5), ("b", 2)],
            [("a", 4), ("b", 2)],
            [("a", 4), ("b", 0)],
            [("a", 8), ("b", 0)],
        ],
    ),
    "unless the filter drops it": (
        lambda s: s.reduceByKeyAndWindow(add, sub, 5 * BATCH_S, filterFunc=lambda pair: pair[1] > 0),
        [
            [("a", 1)],
            [("a", 1), ("b", 2)],
            [("a", 5), ("b", 2)],
            [("a", 5), ("b", 2)],
            [("a", 5), ("b", 2)],
            [("a", 4), ("b", 2)],
            [("a", 4)],
            [("a", 8)],
        ],
    ),
    "slides of two batches": (
        lambda s: s.reduceByKeyAndWindow(add, sub, 10 * BATCH_S, 2 * BATCH_S),
        [[("a", a), ("b", b)] for a, b in [(1, 2), (5, 2), (5, 2), (13, 2), (13, 2), (12, 0), (8, 0)]],
    ),
    "a window of fewer than five slides is computed anew, as in Spark": (
        lambda s: s.reduceByKeyAndWindow(add, sub, 2 * BATCH_S),
        [[("a", 1)], [("a", 1), ("b", 2)], [("a", 4), ("b", 2)], [("a", 4)], []],
    ),
    "countByWindow": (lambda s: s.countByWindow(5 * BATCH_S, BATCH_S), [[1], [2], [3], [3], [3], [2], [1], [1]]),
    "countByValueAndWindow": (
        lambda s: s.map(lambda pair: pair[0]).countByValueAndWindow(5 * BATCH_S, BATCH_S, 1),
        [[("a", 1)], [("a", 1), ("b", 1)], [("a", 2), ("b", 1)]] + [[("a", 2), ("b", 1)]] * 2 + [[("a", 1), ("b", 1)]],
    ),
    "reduceByWindow": (
        lambda s: s.map(lambda pair: pair[1]).reduceByWindow(add, sub, 5 * BATCH_S, BATCH_S),
        [[1], [3], [7], [7], [7], [6], [4], [8]],
    ),
    "groupByKeyAndWindow": (
        lambda s: s.groupByKeyAndWindow(5 * BATCH_S, BATCH_S).mapValues(list),
        [[("a", [1])], [("a", [1]), ("b", [2])], [("a", [1, 4]), ("b", [2])]]
        + [[("a", [1, 4]), ("b", [2])]] * 2
        + [[("a", [4]), ("b", [2])], [("a", [4]), ("b", [])]],
    ),
}


@pytest.mark.parametrize("name", INVERSE)
def test_windows_with_an_inverse_function(stateful: StreamingContext, name: str) -> None:
    operation, expected = INVERSE[name]
    assert elements(operation(stateful.queueStream(TEN)), len(expected)) == expected


STATEFUL: list[Callable[[Any], DStream[Any]]] = [
    lambda s: s.updateStateByKey(total),
    lambda s: s.reduceByKeyAndWindow(add, sub, 2 * BATCH_S),
    lambda s: s.countByWindow(2 * BATCH_S, BATCH_S),
    lambda s: s.map(lambda pair: pair).checkpoint(1),
]


@pytest.mark.parametrize("operation", STATEFUL)
def test_state_needs_a_checkpoint_directory(ssc: StreamingContext, operation: Callable[[Any], DStream[Any]]) -> None:
    operation(ssc.queueStream([[("a", 1)]])).pprint()
    message = "The checkpoint directory has not been set. Please set it by StreamingContext.checkpoint()."
    with pytest.raises(IllegalArgumentException, match=message):
        ssc.start()


@pytest.mark.parametrize(
    ("interval", "message"), [(0.04, "lower than its slide time"), (0.12, "not a multiple of its slide time")]
)
def test_a_checkpoint_interval_must_fit_the_slide(stateful: StreamingContext, interval: float, message: str) -> None:
    stateful.queueStream([[1]]).checkpoint(interval).pprint()
    with pytest.raises(IllegalArgumentException, match=message):
        stateful.start()


def test_checkpoints_are_set_before_the_start(stateful: StreamingContext) -> None:
    stream = stateful.queueStream([[1]])
    stream.pprint()
    stateful.start()
    for change in (lambda: stateful.checkpoint("elsewhere"), lambda: stream.checkpoint(1)):
        with pytest.raises(UnsupportedOperationException, match="after streaming context has started"):
            change()


def test_a_slice_has_the_batches_of_a_time_as_far_as_they_are_remembered(ssc: StreamingContext) -> None:
    ssc.remember(3 * BATCH_S)
    with pytest.raises(IllegalArgumentException, match="Remember duration already set as 150 ms"):
        ssc.remember(1)
    stream = ssc.queueStream([[n] for n in range(5)]).map(lambda n: n * 10)
    times: queue.Queue[Any] = queue.Queue()
    stream.foreachRDD(lambda time, rdd: times.put((time, [r.collect() for r in stream.slice(times_from(time), time)])))
    ssc.start()
    slices = [times.get(timeout=WAIT_S)[1] for _ in range(5)]
    assert slices[2:] == [[[0], [10], [20]], [[10], [20], [30]], [[20], [30], [40]]]


def times_from(time: Any) -> float:
    """Well before, in seconds since the epoch."""
    return float(time.timestamp()) - 60
