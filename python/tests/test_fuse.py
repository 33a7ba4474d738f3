"""The fused loop gives what the steps give one after the other."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from millstream import SparkContext
from millstream.errors import PythonException
from millstream.rdd import RDD, fuse

Parts = list[list[Any]]

#: Operations on partitions of pairs (key, number), each as the RDD has it and as plain lists have it.
STEPS: dict[str, tuple[Callable[[RDD[Any]], RDD[Any]], Callable[[Parts], Parts]]] = {
    "map": (
        lambda r: r.map(lambda p: (p[1], p[0])),
        lambda parts: [[(v, k) for k, v in part] for part in parts],
    ),
    "filter": (
        lambda r: r.filter(lambda p: (p[0] + p[1]) % 3),
        lambda parts: [[p for p in part if (p[0] + p[1]) % 3] for part in parts],
    ),
    "flatMap": (
        lambda r: r.flatMap(lambda p: [p] * (p[0] % 3)),
        lambda parts: [[p for p in part for _ in range(p[0] % 3)] for part in parts],
    ),
    "mapValues": (
        lambda r: r.mapValues(lambda v: v + 1),
        lambda parts: [[(k, v + 1) for k, v in part] for part in parts],
    ),
    "flatMapValues": (
        lambda r: r.flatMapValues(lambda v: (v, -v)),
        lambda parts: [[(k, w) for k, v in part for w in (v, -v)] for part in parts],
    ),
    "keys": (
        lambda r: r.keys().keyBy(lambda k: k % 5),
        lambda parts: [[(k % 5, k) for k, _ in part] for part in parts],
    ),
    "values": (
        lambda r: r.values().keyBy(lambda v: v // 2),
        lambda parts: [[(v // 2, v) for _, v in part] for part in parts],
    ),
    "mapPartitions": (
        lambda r: r.mapPartitions(lambda rows: list(rows)[::2]),
        lambda parts: [part[::2] for part in parts],
    ),
    "mapPartitionsWithIndex": (
        lambda r: r.mapPartitionsWithIndex(lambda i, rows: ((k + i, v) for k, v in rows)),
        lambda parts: [[(k + i, v) for k, v in part] for i, part in enumerate(parts)],
    ),
    "cache": (lambda r: r.cache(), lambda parts: parts),
    "union": (lambda r: r.union(r), lambda parts: parts + parts),
}


def keyed(parts: Parts, fold: Callable[[list[Any]], Any]) -> dict[Any, Any]:
    """What a by-key operation gives: `fold` of each key's values, which are in the order of the partitions."""
    groups: dict[Any, list[Any]] = {}
    for key, value in (pair for part in parts for pair in part):
        groups.setdefault(key, []).append(value)
    return {key: fold(values) for key, values in groups.items()}


def flat(parts: Parts) -> list[Any]:
    return [row for part in parts for row in part]


SINKS: dict[str, tuple[Callable[[RDD[Any]], Any], Callable[[Parts], Any]]] = {
    "glom": (lambda r: r.glom().collect(), lambda parts: parts),
    "collect": (lambda r: r.collect(), flat),
    "count": (lambda r: r.count(), lambda parts: len(flat(parts))),
    "take": (lambda r: r.take(5), lambda parts: flat(parts)[:5]),
    "sum": (lambda r: r.values().sum(), lambda parts: sum(v for _, v in flat(parts))),
    "countByValue": (lambda r: r.countByValue(), lambda parts: {row: flat(parts).count(row) for row in flat(parts)}),
    "reduceByKey": (lambda r: dict(r.reduceByKey(lambda a, b: a + b).collect()), lambda parts: keyed(parts, sum)),
    "groupByKey": (lambda r: dict(r.groupByKey().mapValues(list).collect()), lambda parts: keyed(parts, list)),
    "combineByKey": (
        lambda r: dict(r.combineByKey(lambda v: [v], lambda c, v: [*c, v], lambda a, b: a + b, 2).collect()),
        lambda parts: keyed(parts, list),
    ),
    "distinct": (lambda r: set(r.distinct().collect()), lambda parts: set(flat(parts))),
    "max": (lambda r: r.union(r.ctx.parallelize([(0, 0)])).max(), lambda parts: max([*flat(parts), (0, 0)])),
}


@pytest.mark.parametrize("seed", range(150))
def test_random_chains(sc: SparkContext, seed: int) -> None:
    chance = random.Random(seed)
    chain = [chance.choice(list(STEPS)) for _ in range(chance.randrange(0, 9))]
    sink = chance.choice(list(SINKS))
    print(f"seed {seed}: {' '.join(chain)} -> {sink}")
    data = [(chance.randrange(20), chance.randrange(20)) for _ in range(chance.randrange(0, 25))]
    rdd: RDD[Any] = sc.parallelize(data, chance.randrange(1, 5))
    parts: Parts = rdd.glom().collect()
    for step in chain:
        fused, plain = STEPS[step]
        rdd, parts = fused(rdd), plain(parts)
    run, expect = SINKS[sink]
    assert run(rdd) == expect(parts)


def test_the_loop_of_the_word_count() -> None:
    assert fuse.source(["flatMap", "map"], "reduceByKey") == (
        "def loop(rows, f0, f1, merge):\n"
        "    out = {}\n"
        "    get = out.get\n"
        "    for x in rows:\n"
        "        for x1 in f0(x):\n"
        "            key, value = f1(x1)\n"
        "            old = get(key, MISSING)\n"
        "            out[key] = value if old is MISSING else merge(old, value)\n"
        "    return out\n"
    )


@pytest.mark.parametrize("kind", ["map", "filter", "flatMap"])
def test_a_chain_may_be_longer_than_python_nests_loops(sc: SparkContext, kind: str) -> None:
    functions = {"map": lambda x: x + 1, "filter": lambda x: x >= 0, "flatMap": lambda x: (x + 1,)}
    rdd: RDD[int] = sc.parallelize([0, 1, 2], 2)
    for _ in range(200):
        rdd = getattr(rdd, kind)(functions[kind])
    rise = 0 if kind == "filter" else 200
    assert rdd.collect() == [rise, rise + 1, rise + 2]
    assert rdd.map(lambda x: (x, 1)).reduceByKey(max).count() == 3


def test_none_is_a_value_like_any_other(sc: SparkContext) -> None:
    """Looking up a key must not take a stored None for a key that is missing."""
    rdd = sc.parallelize([("a", None), ("a", 1), (None, None)], 1)
    assert dict(rdd.reduceByKey(lambda a, b: (a, b)).collect()) == {"a": (None, 1), None: None}
    assert rdd.values().reduce(lambda a, b: (a, b)) == ((None, 1), None)


def test_stop_iteration_in_a_function_is_an_error_and_not_an_end(sc: SparkContext) -> None:
    rdd = sc.parallelize([1, 2], 1).map(lambda _: next(iter([])))
    with pytest.raises((RuntimeError, StopIteration, PythonException)):
        rdd.collect()
    with pytest.raises((RuntimeError, StopIteration, PythonException)):
        rdd.take(1)
