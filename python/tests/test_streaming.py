"""Streams over a queue: what PySpark 4.3.0 does and says."""

from __future__ import annotations

import functools
import math
import queue
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from raising import raises_in_task

from millstream import SparkContext, StorageLevel
from millstream.errors import (
    IllegalArgumentException,
    IllegalStateException,
    PySparkTypeError,
)
from millstream.rdd import RDD
from millstream.streaming import DStream, StreamingContext

WAIT_S = 10


def batches(stream: DStream[Any], count: int) -> list[list[Any]]:
    """Runs the stream's context and returns what its first `count` batches hold."""
    collected: queue.Queue[list[Any]] = queue.Queue()
    stream.foreachRDD(lambda rdd: collected.put(rdd.collect()))
    stream.context().start()
    return [collected.get(timeout=WAIT_S) for _ in range(count)]


#: An operation on a stream of [("a", 1), ("b", 2), ("a", 3)] and then an empty list; what both batches hold, sorted.
OPERATIONS: dict[str, tuple[Callable[[Any], DStream[Any]], list[Any], list[Any]]] = {
    "map": (lambda s: s.map(lambda p: p[1]), [1, 2, 3], []),
    "flatMap": (lambda s: s.flatMap(lambda p: p[0] * p[1]), ["a", "a", "a", "a", "b", "b"], []),
    "filter": (lambda s: s.filter(lambda p: p[0] == "b"), [("b", 2)], []),
    "mapPartitions": (lambda s: s.mapPartitions(lambda it: [len(list(it))]), [1, 1, 1], [0, 0, 0]),
    "mapPartitionsWithIndex": (
        lambda s: s.mapPartitionsWithIndex(lambda i, it: [(i, len(list(it)))]),
        [(0, 1), (1, 1), (2, 1)],
        [(0, 0), (1, 0), (2, 0)],
    ),
    "glom": (lambda s: s.map(lambda p: p[1]).glom(), [[1], [2], [3]], [[], [], []]),
    "mapValues": (lambda s: s.mapValues(str), [("a", "1"), ("a", "3"), ("b", "2")], []),
    "flatMapValues": (
        lambda s: s.flatMapValues(range),
        [("a", 0), ("a", 0), ("a", 1), ("a", 2), ("b", 0), ("b", 1)],
        [],
    ),
    "reduceByKey": (lambda s: s.reduceByKey(lambda a, b: a + b), [("a", 4), ("b", 2)], []),
    "combineByKey": (
        lambda s: s.combineByKey(str, lambda c, v: f"{c}{v}", lambda a, b: a + b),
        [("a", "13"), ("b", "2")],
        [],
    ),
    "groupByKey": (lambda s: s.groupByKey().mapValues(list), [("a", [1, 3]), ("b", [2])], []),
    "count": (lambda s: s.count(), [3], [0]),
    "countByValue": (lambda s: s.map(lambda p: p[0]).countByValue(), [("a", 2), ("b", 1)], []),
    "reduce": (lambda s: s.map(lambda p: p[1]).reduce(lambda a, b: a + b), [6], []),
    "union": (lambda s: s.union(s), [("a", 1)] * 2 + [("a", 3)] * 2 + [("b", 2)] * 2, []),
    "context.union": (lambda s: s.context().union(s, s, s).count(), [9], [0]),
    "context.transform": (
        lambda s: s.context().transform([s, s], lambda rdds: rdds[0].union(rdds[1])).count(),
        [6],
        [0],
    ),
    "transform": (lambda s: s.transform(lambda rdd: rdd.keys().distinct()), ["a", "b"], []),
    "transformWith": (lambda s: s.transformWith(lambda a, b: a.union(b).values(), s), [1, 1, 2, 2, 3, 3], []),
    "join": (lambda s: s.join(s).filter(lambda p: p[0] == "b"), [("b", (2, 2))], []),
    "leftOuterJoin": (
        lambda s: s.leftOuterJoin(s.filter(lambda p: p[0] == "b")),
        [("a", (1, None)), ("a", (3, None)), ("b", (2, 2))],
        [],
    ),
    "cogroup": (
        lambda s: s.cogroup(s).mapValues(lambda v: [list(x) for x in v]),
        [("a", [[1, 3], [1, 3]]), ("b", [[2], [2]])],
        [],
    ),
    "repartition": (lambda s: s.repartition(1).glom().map(sorted), [[("a", 1), ("a", 3), ("b", 2)]], [[]]),
    "partitionBy": (lambda s: s.partitionBy(2, lambda k: k == "b").glom().map(len), [1, 2], [0, 0]),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations(ssc: StreamingContext, name: str) -> None:
    operation, first, second = OPERATIONS[name]
    stream = operation(ssc.queueStream([[("a", 1), ("b", 2), ("a", 3)], []]))
    assert [sorted(batch) for batch in batches(stream, 2)] == [first, second]


def test_a_batch_without_partitions_has_no_count(ssc: StreamingContext) -> None:
    assert batches(ssc.queueStream([]).count(), 1) == [[]]


def test_a_queue_at_once_with_a_default(ssc: StreamingContext) -> None:
    stream = ssc.queueStream([[1], ssc.sparkContext.parallelize([2])], oneAtATime=False, default=[0])
    assert batches(stream, 3) == [[1, 2], [0], [0]]


def test_pprint_is_pysparks_byte_for_byte(ssc: StreamingContext, capsys: pytest.CaptureFixture[str]) -> None:
    times: queue.Queue[datetime] = queue.Queue()
    stream = ssc.queueStream([["word", ("a", 1), None, 4.5], []])
    stream.pprint(3)
    stream.foreachRDD(lambda time, _: times.put(time))
    ssc.start()
    first, second = times.get(timeout=WAIT_S), times.get(timeout=WAIT_S)
    ssc.stop()
    rule = "-------------------------------------------"
    assert capsys.readouterr().out.startswith(
        f"{rule}\nTime: {first}\n{rule}\nword\n('a', 1)\nNone\n...\n\n{rule}\nTime: {second}\n{rule}\n\n"
    )


def test_times_are_local_datetimes_an_interval_apart(ssc: StreamingContext) -> None:
    times: queue.Queue[datetime] = queue.Queue()
    ssc.queueStream([]).foreachRDD(lambda time, _: times.put(time))
    ssc.start()
    first, second = times.get(timeout=WAIT_S), times.get(timeout=WAIT_S)
    assert first.tzinfo is None
    assert abs((first - datetime.now()).total_seconds()) < WAIT_S
    assert (second - first).total_seconds() == pytest.approx(0.05)
    assert first.microsecond % 50_000 == 0


class Takes:
    """Callables of all kinds; each says what it was called with."""

    def __init__(self, heard: queue.Queue[str]) -> None:
        self.heard = heard

    def rdd_only(self, rdd: Any) -> None:
        self.heard.put(type(rdd).__name__)

    def both(self, time: Any, rdd: Any) -> None:
        self.heard.put(f"{type(time).__name__} {type(rdd).__name__}")

    def __call__(self, rdd: Any) -> None:
        self.rdd_only(rdd)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda t: lambda rdd: t.rdd_only(rdd), "RDD"),
        (lambda t: lambda time, rdd: t.both(time, rdd), "datetime RDD"),
        (lambda t: t.rdd_only, "RDD"),
        (lambda t: t.both, "datetime RDD"),
        (lambda t: t, "RDD"),
        (lambda t: functools.partial(t.both, "early"), "str RDD"),
        (lambda t: functools.partial(t.both), "datetime RDD"),
    ],
)
def test_functions_with_and_without_the_time(ssc: StreamingContext, make: Any, expected: str) -> None:
    heard: queue.Queue[str] = queue.Queue()
    ssc.queueStream([]).foreachRDD(make(Takes(heard)))
    ssc.start()
    assert heard.get(timeout=WAIT_S) == expected


def test_an_error_surfaces_and_later_batches_run(ssc: StreamingContext) -> None:
    later = threading.Event()

    def divide(x: int) -> float:
        return 1 / x

    stream = ssc.queueStream([[0], [1]])
    stream.map(divide).foreachRDD(lambda rdd: later.set() if rdd.collect() else None)
    ssc.start()
    with raises_in_task(ZeroDivisionError, "in divide"):
        ssc.awaitTermination(WAIT_S)
    assert later.wait(WAIT_S)


def test_a_kept_stream_is_computed_once_a_batch(ssc: StreamingContext) -> None:
    computed = ssc.sparkContext.accumulator(0)
    done = threading.Event()
    stream = ssc.queueStream([[1, 2, 3]]).map(lambda x: computed.add(1)).cache()
    stream.foreachRDD(lambda rdd: rdd.count())
    stream.foreachRDD(lambda rdd: done.set() if rdd.count() else None)
    ssc.start()
    assert done.wait(WAIT_S)
    assert computed.value == 3
    assert stream.persist(StorageLevel.MEMORY_ONLY) is stream


def test_a_transform_that_returns_nothing_skips_the_batch(ssc: StreamingContext) -> None:
    seen: queue.Queue[str] = queue.Queue()
    stream = ssc.queueStream([[1], [2]])
    stream.transform(lambda rdd: rdd if 2 in rdd.collect() else None).map(str).foreachRDD(
        lambda rdd: seen.put(rdd.collect())
    )
    ssc.start()
    assert seen.get(timeout=WAIT_S) == ["2"]


def test_a_transform_must_return_an_rdd(ssc: StreamingContext) -> None:
    ssc.queueStream([[1]]).transform(lambda rdd: rdd.collect()).pprint()
    ssc.start()
    with pytest.raises(PySparkTypeError, match="must return an RDD, not list"):
        ssc.awaitTermination(WAIT_S)


def test_save_as_text_files(ssc: StreamingContext, tmp_path: Path) -> None:
    times: queue.Queue[datetime] = queue.Queue()
    stream = ssc.queueStream([["x"]])
    stream.saveAsTextFiles(f"{tmp_path}/out", "txt")
    stream.foreachRDD(lambda time, _: times.put(time))
    ssc.start()
    time_ms = round(times.get(timeout=WAIT_S).timestamp() * 1000)
    ssc.stop()
    assert (tmp_path / f"out-{time_ms}.txt" / "_SUCCESS").exists()


ARGUMENTS = [
    (lambda s: s.transform(lambda a, b, c: a), AssertionError, "func should take one or two arguments"),
    (lambda s: s.transform(lambda: None), AssertionError, "func should take one or two arguments"),
    (lambda s: s.transformWith(lambda a: a, s), AssertionError, "func should take two or three arguments"),
    (lambda s: s.context().union(), ValueError, "should have at least one DStream to union"),
    (lambda s: s.context().checkpoint("hdfs://somewhere"), IllegalArgumentException, "only local paths"),
    (lambda s: StreamingContext.getActiveOrCreate(None, 1), TypeError, "setupFunc should be callable"),
    *(
        (
            lambda s, d=d: StreamingContext(s.context().sparkContext, d),
            IllegalArgumentException,
            "one millisecond and at",
        )
        for d in (0, -1, math.nan, math.inf, -math.inf, 1e300, 10**400)
    ),
]


@pytest.mark.parametrize(("call", "error", "text"), ARGUMENTS)
def test_argument_errors(ssc: StreamingContext, call: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call(ssc.queueStream([]))


def test_the_life_of_a_context(ssc: StreamingContext) -> None:
    stream: DStream[Any] = ssc.queueStream([])
    with pytest.raises(IllegalArgumentException, match="No output operations registered, so nothing to execute"):
        ssc.start()
    with pytest.raises(IllegalStateException, match="has not been started"):
        ssc.awaitTermination()
    stream.pprint()
    assert StreamingContext.getActive() is None
    ssc.start()
    assert StreamingContext.getActive() is ssc
    assert StreamingContext.getActiveOrCreate(None, lambda: ssc) is ssc
    with pytest.warns(UserWarning, match="already been started"):
        ssc.start()
    with pytest.raises(IllegalStateException, match="after starting a context is not supported"):
        stream.map(str)
    other = StreamingContext(ssc.sparkContext, 1)
    other.queueStream([]).pprint()
    with pytest.raises(IllegalStateException, match="Only one StreamingContext may be started in this process"):
        other.start()
    assert ssc.awaitTerminationOrTimeout(0.01) is False
    ssc.stop(stopSparkContext=False)
    assert StreamingContext.getActive() is None
    assert ssc.awaitTerminationOrTimeout(0) is True
    ssc.stop(stopSparkContext=False, stopGraceFully=True)
    with pytest.raises(IllegalStateException, match="has already been stopped"):
        ssc.start()
    with pytest.raises(IllegalStateException, match="after stopping a context is not supported"):
        stream.pprint()
    other.start()
    other.stop()
    assert SparkContext._active is None


def test_streams_of_two_contexts_do_not_mix(ssc: StreamingContext) -> None:
    other = StreamingContext(ssc.sparkContext, 0.05).queueStream([])
    with pytest.raises(IllegalArgumentException, match="different contexts"):
        ssc.queueStream([]).union(other)


def test_a_function_may_stop_the_context(ssc: StreamingContext) -> None:
    ssc.queueStream([]).foreachRDD(lambda _: ssc.stop(stopSparkContext=False))
    ssc.start()
    assert ssc.awaitTerminationOrTimeout(WAIT_S) is True


def test_datasets_are_rdds_of_the_context(ssc: StreamingContext) -> None:
    seen: queue.Queue[Any] = queue.Queue()
    ssc.queueStream([[1]]).map(str).foreachRDD(lambda rdd: seen.put(rdd))
    ssc.start()
    rdd = seen.get(timeout=WAIT_S)
    assert isinstance(rdd, RDD)
    assert rdd.context is ssc.sparkContext
