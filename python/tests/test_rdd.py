"""What the operations of an RDD give. The expected values were printed by PySpark 4.3.0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from raising import raises_in_task

from millstream import SparkContext, StorageLevel
from millstream.errors import (
    IllegalStateException,
    PySparkNotImplementedError,
    PythonException,
    UnsupportedOperationException,
)
from millstream.rdd import RDD, ResultIterable, portable_hash


def pairs(sc: SparkContext) -> RDD[tuple[str, int]]:
    return sc.parallelize([("a", 1), ("b", 2), ("a", 3), ("c", 4)], 2)


@pytest.mark.parametrize(
    ("data", "slices", "expected"),
    [
        (range(10), 3, [[0, 1, 2], [3, 4, 5], [6, 7, 8, 9]]),
        (list(range(10)), 3, [[0, 1, 2], [3, 4, 5], [6, 7, 8, 9]]),
        (list(range(11)), 4, [[0, 1], [2, 3, 4, 5], [6, 7], [8, 9, 10]]),
        ([1, 2], 4, [[], [1], [], [2]]),
        ([], 4, [[], [], [], []]),
        (dict.fromkeys(range(7)).keys(), 3, [[0, 1], [2, 3], [4, 5, 6]]),
        ("abcd", 2, [["a", "b"], ["c", "d"]]),
    ],
)
def test_parallelize_cuts_where_pyspark_does(sc: SparkContext, data: Any, slices: int, expected: Any) -> None:
    assert sc.parallelize(data, slices).glom().collect() == expected


def test_parallelize_deals_chunks_of_1024(sc: SparkContext) -> None:
    parts = sc.parallelize(list(range(100003)), 3).glom().collect()
    assert [len(part) for part in parts] == [32768, 33792, 33443]


#: An operation on `pairs`, and its result; sorted where PySpark's order is that of its hash of strings.
IN_ORDER: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "map": (lambda r: r.map(lambda p: p[1]).collect(), [1, 2, 3, 4]),
    "flatMap": (lambda r: r.flatMap(lambda p: p[0] * p[1]).collect(), list("abbaaacccc")),
    "filter": (lambda r: r.filter(lambda p: p[1] % 2).collect(), [("a", 1), ("a", 3)]),
    "mapPartitions": (lambda r: r.mapPartitions(lambda it: [sum(v for _, v in it)]).collect(), [3, 7]),
    "mapPartitionsWithIndex": (
        lambda r: r.mapPartitionsWithIndex(lambda i, it: [(i, len(list(it)))]).collect(),
        [(0, 2), (1, 2)],
    ),
    "mapValues": (lambda r: r.mapValues(lambda v: -v).collect(), [("a", -1), ("b", -2), ("a", -3), ("c", -4)]),
    "flatMapValues": (lambda r: r.flatMapValues(lambda v: range(v - 1)).values().collect(), [0, 0, 1, 0, 1, 2]),
    "keys": (lambda r: r.keys().collect(), ["a", "b", "a", "c"]),
    "values": (lambda r: r.values().collect(), [1, 2, 3, 4]),
    "keyBy": (lambda r: r.values().keyBy(lambda v: v * 2).collect(), [(2, 1), (4, 2), (6, 3), (8, 4)]),
    "union": (lambda r: r.union(r).getNumPartitions(), 4),
    "glom": (lambda r: r.values().glom().collect(), [[1, 2], [3, 4]]),
    "zipWithIndex": (lambda r: r.keys().zipWithIndex().collect(), [("a", 0), ("b", 1), ("a", 2), ("c", 3)]),
    "sortBy": (lambda r: r.sortBy(lambda p: -p[1]).values().collect(), [4, 3, 2, 1]),
    "sortByKey": (lambda r: r.sortByKey(False).collect(), [("c", 4), ("b", 2), ("a", 1), ("a", 3)]),
    "count": (lambda r: r.count(), 4),
    "take": (lambda r: (r.take(3), r.take(0), r.take(-1)), ([("a", 1), ("b", 2), ("a", 3)], [], [])),
    "first": (lambda r: r.first(), ("a", 1)),
    "isEmpty": (lambda r: (r.isEmpty(), r.filter(lambda _: False).isEmpty()), (False, True)),
    "reduce": (lambda r: r.values().reduce(lambda a, b: a - b), (1 - 2) - (3 - 4)),
    "fold": (lambda r: r.values().fold(1, lambda a, b: a + b), 13),
    "aggregate": (lambda r: r.values().aggregate([], lambda acc, v: [*acc, v], lambda a, b: a + b), [1, 2, 3, 4]),
    "sum": (lambda r: r.values().sum(), 10),
    "max": (lambda r: (r.values().max(), r.max(key=lambda p: -p[1])), (4, ("a", 1))),
    "min": (lambda r: (r.values().min(), r.min(key=lambda p: -p[1])), (1, ("c", 4))),
    "mean": (lambda r: r.values().mean(), 2.5),
    "top": (lambda r: (r.values().top(2), r.values().top(2, key=lambda v: -v)), ([4, 3], [1, 2])),
    "takeOrdered": (lambda r: r.values().takeOrdered(2, key=lambda v: -v), [4, 3]),
    "countByKey": (lambda r: dict(r.countByKey()), {"a": 2, "b": 1, "c": 1}),
    "countByValue": (lambda r: dict(r.keys().countByValue()), {"a": 2, "b": 1, "c": 1}),
    "collectAsMap": (lambda r: r.collectAsMap(), {"a": 3, "b": 2, "c": 4}),
    "lookup": (lambda r: r.lookup("a"), [1, 3]),
    "coalesce": (lambda r: r.values().repartition(4).coalesce(1).glom().map(sorted).collect(), [[1, 2, 3, 4]]),
    "toLocalIterator": (lambda r: list(r.values().toLocalIterator()), [1, 2, 3, 4]),
}
SORTED: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "reduceByKey": (lambda r: r.reduceByKey(lambda a, b: a + b), [("a", 4), ("b", 2), ("c", 4)]),
    "combineByKey": (
        lambda r: r.combineByKey(lambda v: [v], lambda c, v: [*c, v], lambda a, b: [*a, "|", *b]),
        [("a", [1, "|", 3]), ("b", [2]), ("c", [4])],
    ),
    "groupByKey": (lambda r: r.groupByKey().mapValues(list), [("a", [1, 3]), ("b", [2]), ("c", [4])]),
    "groupBy": (lambda r: r.values().groupBy(lambda v: v % 2).mapValues(list), [(0, [2, 4]), (1, [1, 3])]),
    "distinct": (lambda r: r.keys().distinct(), ["a", "b", "c"]),
    "join": (
        lambda r: r.join(r),
        [("a", (1, 1)), ("a", (1, 3)), ("a", (3, 1)), ("a", (3, 3)), ("b", (2, 2)), ("c", (4, 4))],
    ),
    "leftOuterJoin": (
        lambda r: r.leftOuterJoin(r.ctx.parallelize([("a", 9), ("z", 0)])),
        [("a", (1, 9)), ("a", (3, 9)), ("b", (2, None)), ("c", (4, None))],
    ),
    "rightOuterJoin": (
        lambda r: r.rightOuterJoin(r.ctx.parallelize([("b", 9), ("z", 0)])),
        [("b", (2, 9)), ("z", (None, 0))],
    ),
    "fullOuterJoin": (
        lambda r: r.filter(lambda p: p[1] < 3).fullOuterJoin(r.ctx.parallelize([("b", 9), ("z", 0)])),
        [("a", (1, None)), ("b", (2, 9)), ("z", (None, 0))],
    ),
    "cogroup": (
        lambda r: r.cogroup(r).mapValues(lambda sides: [list(side) for side in sides]),
        [("a", [[1, 3], [1, 3]]), ("b", [[2], [2]]), ("c", [[4], [4]])],
    ),
}


@pytest.mark.parametrize("name", IN_ORDER)
def test_results_in_order(sc: SparkContext, name: str) -> None:
    operation, expected = IN_ORDER[name]
    assert operation(pairs(sc)) == expected


@pytest.mark.parametrize("name", SORTED)
@pytest.mark.parametrize("cached", [False, True])
def test_results_as_sets(sc: SparkContext, name: str, cached: bool) -> None:
    operation, expected = SORTED[name]
    rdd = pairs(sc).cache() if cached else pairs(sc)
    result = operation(rdd)
    assert sorted(result.collect()) == expected
    assert sorted(result.collect()) == expected, "a second action"


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda sc: sc.emptyRDD().first(), ValueError, "RDD is empty"),
        (lambda sc: sc.parallelize([]).reduce(max), ValueError, r"Can not reduce\(\) empty RDD"),
        (lambda sc: sc.parallelize([]).max(), ValueError, r"Can not reduce\(\) empty RDD"),
        (lambda sc: sc.parallelize([1]).barrier(), PySparkNotImplementedError, "RDD.barrier"),
        (lambda sc: sc.parallelize([1]).reduceByKey(max).collect(), TypeError, "cannot unpack"),
        (lambda sc: sc.parallelize([1]).repartition(0), ValueError, "partitions must be at least 1, not 0"),
        (lambda sc: pairs(sc).groupByKey(-1), ValueError, "partitions must be at least 1, not -1"),
        (lambda sc: sc.accumulator("x"), TypeError, "No default accumulator param for type <class 'str'>"),
        (
            lambda sc: SparkContext("local", "second"),
            ValueError,
            r"existing SparkContext\(app=tests, master=local.*\) created by __init__ at .*conftest.py",
        ),
    ],
)
def test_errors(sc: SparkContext, call: Callable[[SparkContext], Any], error: type[Exception], text: str) -> None:
    with raises_in_task(error, text):
        call(sc)


def test_empty_datasets(sc: SparkContext) -> None:
    empty = sc.emptyRDD()
    assert (empty.getNumPartitions(), empty.count(), empty.sum(), empty.collect()) == (0, 0, 0, [])
    assert empty.map(str).reduceByKey(max, 2).collect() == []


def test_the_users_traceback_ends_in_the_users_function(sc: SparkContext) -> None:
    def divide(x: int) -> float:
        return 1 / x

    with raises_in_task(ZeroDivisionError) as caught:
        sc.parallelize([1, 0]).map(divide).filter(bool).collect()
    if isinstance(caught.value, PythonException):
        lines = [line.strip() for line in str(caught.value).splitlines()]
        assert lines[-4:] == [
            f'File "{__file__}", line {divide.__code__.co_firstlineno + 1}, in divide',
            "return 1 / x",
            "~~^~~",
            "ZeroDivisionError: division by zero",
        ]
    else:
        assert caught.traceback[-1].name == "divide"


def test_take_computes_no_more_than_it_needs(sc: SparkContext) -> None:
    seen = sc.accumulator(0)

    def look(x: int) -> int:
        seen.add(1)
        return x

    rdd = sc.parallelize(range(100), 4).map(look).filter(lambda x: x % 10 == 9)
    assert seen.value == 0, "transformations are lazy"
    assert rdd.take(3) == [9, 19, 29]
    # With workers the other three partitions are looked at together, each as far as its first element.
    first, rest = 25, [5] if sc.master == "local" else [5, 10, 5]
    assert seen.value == first + sum(rest)
    assert not rdd.isEmpty()
    assert seen.value == first + sum(rest) + 10


def test_a_kept_dataset_is_computed_once_and_also_when_kept_after_its_children(sc: SparkContext) -> None:
    computed = sc.accumulator(0)

    def look(x: int) -> int:
        computed.add(1)
        return x

    parent = sc.parallelize(range(10), 2).map(look)
    child = parent.map(lambda x: x + 1)
    parent.persist(StorageLevel.MEMORY_AND_DISK)
    assert child.sum() == child.sum() == 55
    assert computed.value == 10
    assert parent.is_cached
    with pytest.raises(UnsupportedOperationException, match="Cannot change storage level"):
        parent.persist(StorageLevel.DISK_ONLY)
    parent.unpersist()
    assert child.sum() == 55
    assert computed.value == 20


@pytest.mark.parametrize(
    "shuffle",
    [
        lambda r: r.reduceByKey(lambda a, b: a + b),
        lambda r: r.partitionBy(5),
        lambda r: r.repartition(5),
        lambda r: r.sortByKey(numPartitions=5),
    ],
)
def test_a_shuffle_is_computed_once(sc: SparkContext, shuffle: Callable[[RDD[Any]], RDD[Any]]) -> None:
    computed = sc.accumulator(0)
    shuffled = shuffle(pairs(sc).map(lambda p: (computed.add(1), p)[1]))
    assert shuffled.keys().distinct().count() == shuffled.keys().distinct().map(str).count() == 3
    assert computed.value == 4


def test_partitions_of_keys_are_pysparks(sc: SparkContext) -> None:
    ints = sc.parallelize([(n, n) for n in range(8)], 2).partitionBy(3)
    assert ints.keys().glom().collect() == [[0, 3, 6], [1, 4, 7], [2, 5]]
    assert portable_hash(None) == 0
    assert portable_hash("a") == portable_hash("a")
    assert portable_hash((1, 1.0)) == portable_hash((1.0, True))
    assert sc.parallelize([(None, 1)]).partitionBy(2, lambda _: 1).glom().collect() == [[], [(None, 1)]]


def test_sorting_keeps_equal_keys_in_one_partition_and_in_their_order(sc: SparkContext) -> None:
    rdd = sc.parallelize([(n % 3, n) for n in range(9)], 3).sortByKey(numPartitions=2)
    assert rdd.glom().collect() == [[(0, 0), (0, 3), (0, 6), (1, 1), (1, 4), (1, 7)], [(2, 2), (2, 5), (2, 8)]]


def test_number_of_reduce_partitions(sc: SparkContext) -> None:
    assert pairs(sc).reduceByKey(max).getNumPartitions() == 3, "spark.default.parallelism"
    assert pairs(sc).groupByKey(7).getNumPartitions() == 7
    assert sc.parallelize([1]).getNumPartitions() == 3
    sc.stop()
    with SparkContext("local[2]", "another") as other:
        assert pairs(other).join(pairs(other)).getNumPartitions() == 4, "the parents' together"


def test_foreach_partition_reads_what_a_generator_yields(sc: SparkContext) -> None:
    sums = sc.accumulator(0)

    def visit(rows: Any) -> Any:
        sums.add(sum(rows) ** 2)
        yield

    sc.parallelize(range(6), 2).foreachPartition(visit)
    assert sums.value == 3**2 + 12**2
    sc.parallelize(range(4), 2).foreachPartition(lambda rows: sums.add(len(list(rows))))
    assert sums.value == 3**2 + 12**2 + 2 + 2


def test_names_and_lineage(sc: SparkContext) -> None:
    rdd = sc.parallelize([1]).setName("numbers")
    assert repr(rdd) == f"numbers ParallelCollectionRDD[{rdd.id()}]"
    assert rdd.map(str).id() > rdd.id()
    assert rdd.map(str).toDebugString() == b"(3) map\n |  (3) ParallelCollectionRDD"
    assert rdd.context is sc


def test_group_values_have_a_length(sc: SparkContext) -> None:
    values = dict(pairs(sc).groupByKey().collect())["a"]
    assert isinstance(values, ResultIterable)
    assert (len(values), list(values)) == (2, [1, 3])


def test_shared_variables(sc: SparkContext) -> None:
    total, words = sc.accumulator(0), sc.broadcast(["x", "y"])
    sc.parallelize([0, 1, 1]).foreach(lambda n: total.add(len(words.value[n])))
    assert (repr(total), str(total), total.value) == (f"Accumulator<id={total.aid}, value=3>", "3", 3)
    total += 4
    assert total.value == 7


def test_a_stopped_context_makes_no_datasets(sc: SparkContext) -> None:
    sc.stop()
    with pytest.raises(IllegalStateException, match="stopped SparkContext"):
        sc.parallelize([1])
