"""Every operation on streams gives over Spark's RDDs what it gives over ours."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from operator import add, sub
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from millstream import SparkContext, StorageLevel
from millstream.errors import PySparkTypeError
from millstream.streaming import DStream, StateSpec, StreamingContext
from tests.conftest import wait_until

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LINES = [["b a", "a"], ["c b a", ""], [], ["a", "d", "d"]]
PAIRS = [[("a", 1), ("b", 2)], [("a", 3), ("a", 4)], [("c", 5)], []]
BATCH_S = 0.5
#: Batches that are compared: those of the queues, and as many that show what windows let go.
BATCHES = 8

Streams = dict[str, DStream[Any]]


def without_state(lines: DStream[str], pairs: DStream[Any], sc: Any) -> Streams:
    words = lines.flatMap(str.split)
    ones = words.map(lambda word: (word, 1))
    numbers = pairs.map(lambda pair: pair[1])
    return {
        "count": lines.count(),
        "countByValue": words.countByValue(),
        "filter": words.filter(lambda word: word > "a"),
        "flatMapValues": pairs.flatMapValues(range),
        "glom": numbers.repartition(1).glom().map(sorted),
        "mapPartitionsWithIndex": numbers.mapPartitionsWithIndex(lambda _, rows: [sum(rows)]).reduce(add),
        "mapValues": pairs.mapValues(lambda value: -value),
        "reduce": numbers.reduce(max),
        "reduceByKey": ones.reduceByKey(add),
        "combineByKey": pairs.combineByKey(
            lambda value: {value}, lambda seen, value: {*seen, value}, set.union, 1
        ).mapValues(sorted),
        "groupByKey": pairs.groupByKey().mapValues(sorted),
        "partitionBy": pairs.partitionBy(2).mapPartitions(lambda rows: [sorted(rows)]),
        "union": words.union(words.map(str.upper)),
        "transform": words.transform(lambda time, rdd: rdd.distinct().map(lambda word: (word, time.year > 2000))),
        "broadcast": words.filter(known_words(sc)),
        "cogroup": ones.cogroup(pairs).mapValues(lambda both: tuple(map(sorted, both))),
        "join": ones.join(pairs),
        "leftOuterJoin": ones.leftOuterJoin(pairs),
        "rightOuterJoin": ones.rightOuterJoin(pairs, 1),
        "fullOuterJoin": ones.fullOuterJoin(pairs),
        "persist": words.persist(StorageLevel.MEMORY_AND_DISK).map(len),
    }


def known_words(sc: Any) -> Callable[[str], bool]:
    known = sc.broadcast({"a", "d"})
    return lambda word: word in known.value


def count(key: str, value: int | None, state: Any) -> tuple[str, int | None, int]:
    total = (state.getOption() or 0) + (value or 0)
    if not state.isTimingOut():
        state.update(total)
    return key, value, total


def with_state(lines: DStream[str], pairs: DStream[Any], sc: Any) -> Streams:
    words = lines.flatMap(str.split)
    ones = words.map(lambda word: (word, 1))
    initial = sc.parallelize([("a", 100), ("z", 1)])
    spec = StateSpec.function(count).timeout(3 * BATCH_S).initialState(initial).numPartitions(2)
    # Each key once: Spark leaves open in which order the values of a key come out of a shuffle of several partitions.
    mapped = pairs.reduceByKey(add).mapWithState(spec)
    return {
        "window": words.window(2 * BATCH_S),
        "window that slides": words.window(3 * BATCH_S, 2 * BATCH_S).map(lambda word: (word, 1)).reduceByKey(add),
        "reduceByKeyAndWindow": ones.reduceByKeyAndWindow(add, None, 2 * BATCH_S),
        "short, with an inverse": ones.reduceByKeyAndWindow(add, sub, 2 * BATCH_S),
        "with an inverse": ones.reduceByKeyAndWindow(add, sub, 5 * BATCH_S, filterFunc=lambda pair: pair[1] > 0),
        "countByWindow": words.countByWindow(5 * BATCH_S, BATCH_S),
        "countByValueAndWindow": words.countByValueAndWindow(5 * BATCH_S, BATCH_S),
        "groupByKeyAndWindow": pairs.groupByKeyAndWindow(5 * BATCH_S, BATCH_S).mapValues(sorted),
        "updateStateByKey": ones.updateStateByKey(lambda values, total: (total or 0) + sum(values) or None),
        "with an initial RDD": ones.updateStateByKey(lambda values, total: (total or 0) + sum(values), 2, initial),
        "mapWithState": mapped,
        "stateSnapshots": mapped.stateSnapshots(),
    }


def outputs(sc: Any, program: Callable[..., Streams], checkpoint: Path) -> dict[str, list[Any]]:
    """What the streams of a program have in each batch, sorted; None where there is no RDD."""
    ssc = StreamingContext(sc, BATCH_S)
    ssc.checkpoint(str(checkpoint))
    streams = program(ssc.queueStream(LINES), ssc.queueStream(PAIRS), sc)
    times: list[int] = []
    seen: dict[str, dict[int, Any]] = {name: {} for name in streams}
    for name, stream in streams.items():
        stream.foreachRDD(lambda time, rdd, name=name: seen[name].__setitem__(time, sorted(rdd.collect())))
    done = threading.Event()

    def note(time: Any, _: Any) -> None:
        times.append(time)
        if len(times) == BATCHES:
            done.set()

    ssc.queueStream([], default=[]).foreachRDD(note)
    ssc.start()
    try:
        wait_until("the batches have run", lambda: done.is_set() or ssc.awaitTerminationOrTimeout(0.1), 180)
    finally:
        ssc.stop(stopSparkContext=False)
    return {name: [rows.get(time) for time in times[:BATCHES]] for name, rows in seen.items()}


@pytest.fixture
def own() -> Iterator[SparkContext]:
    with SparkContext("local", "own") as sc:
        yield sc


@pytest.mark.parametrize("program", [without_state, with_state])
def test_operations(own: SparkContext, spark: SparkSession, program: Callable[..., Streams], tmp_path: Path) -> None:
    expected = outputs(own, program, tmp_path / "own")
    found = outputs(spark.sparkContext, program, tmp_path / "spark")
    assert found == expected
    assert all(any(batches) for batches in expected.values()), "no stream is always empty"


@pytest.fixture
def ssc(spark: SparkSession) -> Iterator[StreamingContext]:
    made = StreamingContext(spark.sparkContext, BATCH_S)
    yield made
    made.stop(stopSparkContext=False)


def test_files_are_read_on_executors(ssc: StreamingContext, tmp_path: Path) -> None:
    lines: list[str] = []
    ssc.textFileStream(str(tmp_path / "in")).map(str.upper).foreachRDD(lambda rdd: lines.extend(rdd.collect()))
    ssc.queueStream([["x"]]).map(lambda row: (row, row)).saveAsTextFiles(str(tmp_path / "out"))
    (tmp_path / "in").mkdir()
    ssc.start()
    (tmp_path / "new").write_text("a\nb\n")
    # Not in the millisecond of the start, which would be before it.
    os.utime(tmp_path / "new", (time.time() + 1,) * 2)
    (tmp_path / "new").rename(tmp_path / "in" / "new")
    wait_until("the file is read", lambda: lines == ["A", "B"], 60)
    wait_until("the batch is saved", lambda: "('x', 'x')\n" in map(Path.read_text, tmp_path.glob("out-*/part-*")), 60)


def test_what_is_no_rdd_of_sparks_is_refused(own: SparkContext, ssc: StreamingContext) -> None:
    ssc.queueStream([["x"]]).transform(lambda _: own.parallelize([1])).pprint()
    ssc.start()
    with pytest.raises(PySparkTypeError, match="a transform function must return an RDD, not RDD"):
        ssc.awaitTermination(60)


def test_what_is_persisted_goes_when_nothing_needs_it(ssc: StreamingContext, spark: SparkSession) -> None:
    sc = spark.sparkContext
    # Programs before this one may have left some.
    others = set(sc._jsc.getPersistentRDDs())
    numbers = ssc.queueStream([[number] for number in range(100)])
    kept: list[int] = []

    def look(rdd: Any) -> None:
        rdd.count()
        kept.append(len(set(sc._jsc.getPersistentRDDs()) - others))

    numbers.window(2 * BATCH_S).foreachRDD(look)
    ssc.start()
    wait_until("some batches have run", lambda: len(kept) >= 12, 120)
    assert max(kept) <= 4, "those of the window, and of the batch that runs"


def test_a_context_may_be_stopped_before_its_streams(tmp_path: Path) -> None:
    program = """
import sys
from pyspark import SparkConf, SparkContext
from millstream.streaming import StreamingContext

sc = SparkContext("local[1]", conf=SparkConf().set("spark.ui.enabled", "false"))
ssc = StreamingContext(sc, 0.5)
ssc.queueStream([["x"]], default=["y"]).pprint()
ssc.start()
sc.stop()
ssc.stop()
print("stopped")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=180)
    assert done.stdout.endswith("stopped\n"), done.stderr
    assert "Traceback" not in done.stderr
