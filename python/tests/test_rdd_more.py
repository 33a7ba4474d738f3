"""Folding, relations, statistics, samples and files. The expected values were printed by PySpark 4.3.0."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, isnan
from operator import add
from pathlib import Path
from typing import Any

import pytest
from raising import raises_in_task

from millstream import SparkContext
from millstream.errors import PySparkException
from millstream.rdd import RDD

PAIRS = [("a", 1), ("b", 2), ("a", 3), ("c", 4)]


def groups(rdd: RDD[Any]) -> list[Any]:
    return sorted((key, [sorted(side) for side in sides]) for key, sides in rdd.collect())


#: An operation on `PAIRS` in two partitions, with the context, and its result.
OPERATIONS: dict[str, tuple[Callable[[RDD[Any], SparkContext], Any], Any]] = {
    "cartesian": (
        lambda r, _: r.values().cartesian(r.keys()).glom().collect(),
        [
            [(1, "a"), (1, "b"), (2, "a"), (2, "b")],
            [(1, "a"), (1, "c"), (2, "a"), (2, "c")],
            [(3, "a"), (3, "b"), (4, "a"), (4, "b")],
            [(3, "a"), (3, "c"), (4, "a"), (4, "c")],
        ],
    ),
    "zip": (lambda r, _: r.values().zip(r.keys()).collect(), [(1, "a"), (2, "b"), (3, "a"), (4, "c")]),
    "zipWithUniqueId": (
        lambda _, sc: sc.parallelize("abcdefg", 3).zipWithUniqueId().collect(),
        [("a", 0), ("b", 3), ("c", 1), ("d", 4), ("e", 2), ("f", 5), ("g", 8)],
    ),
    "intersection": (
        lambda _, sc: sorted(
            sc.parallelize([1, 10, 2, 3, 4, 5, 1]).intersection(sc.parallelize([1, 6, 2, 3, 7, 8])).collect()
        ),
        [1, 2, 3],
    ),
    "subtract": (
        lambda r, sc: sorted(r.subtract(sc.parallelize([("a", 1), ("z", 0)])).collect()),
        [("a", 3), ("b", 2), ("c", 4)],
    ),
    "subtract keeps what occurs twice": (
        lambda _, sc: sorted(sc.parallelize([1, 1, 2, 3]).subtract(sc.parallelize([3])).collect()),
        [1, 1, 2],
    ),
    "subtractByKey": (
        lambda r, sc: sorted(r.subtractByKey(sc.parallelize([("a", 9)])).collect()),
        [("b", 2), ("c", 4)],
    ),
    "foldByKey": (lambda r, _: sorted(r.foldByKey(10, add).collect()), [("a", 24), ("b", 12), ("c", 14)]),
    "aggregateByKey": (
        lambda r, _: sorted(
            r.aggregateByKey(
                (0, 0), lambda a, v: (a[0] + v, a[1] + 1), lambda a, b: (a[0] + b[0], a[1] + b[1])
            ).collect()
        ),
        [("a", (4, 2)), ("b", (2, 1)), ("c", (4, 1))],
    ),
    "aggregateByKey with a zero that is changed": (
        lambda r, _: sorted(r.aggregateByKey([], lambda a, v: a.append(v) or a, lambda a, b: a + b).collect()),
        [("a", [1, 3]), ("b", [2]), ("c", [4])],
    ),
    "groupWith": (
        lambda r, sc: groups(r.groupWith(r, sc.parallelize([("z", 0)]))),
        [("a", [[1, 3], [1, 3], []]), ("b", [[2], [2], []]), ("c", [[4], [4], []]), ("z", [[], [], [0]])],
    ),
    "repartitionAndSortWithinPartitions": (
        lambda _, sc: (
            sc.parallelize([(0, 5), (3, 8), (2, 6), (0, 8), (3, 8), (1, 3)])
            .repartitionAndSortWithinPartitions(2, lambda key: key % 2, True)
            .glom()
            .collect()
        ),
        [[(0, 5), (0, 8), (2, 6)], [(1, 3), (3, 8), (3, 8)]],
    ),
    "repartitionAndSortWithinPartitions, descending": (
        lambda _, sc: (
            sc.parallelize([(0, 5), (3, 8), (2, 6), (0, 8), (3, 8), (1, 3)])
            .repartitionAndSortWithinPartitions(2, lambda key: key % 2, False)
            .glom()
            .collect()
        ),
        [[(2, 6), (0, 5), (0, 8)], [(3, 8), (3, 8), (1, 3)]],
    ),
    "treeReduce": (lambda _, sc: sc.parallelize([-5, -4, -3, -2, -1, 1, 2, 3, 4], 10).treeReduce(add), -5),
    "treeAggregate": (lambda r, _: r.values().treeAggregate(0, add, add), 10),
    "reduceByKeyLocally": (lambda r, _: r.reduceByKeyLocally(add), {"a": 4, "b": 2, "c": 4}),
    "stats": (
        lambda r, _: repr(r.values().stats()),
        "(count: 4, mean: 2.5, stdev: 1.118033988749895, max: 4, min: 1)",
    ),
    "stats as a dict": (
        lambda r, _: [r.values().stats().asDict(sample) for sample in (False, True)],
        [
            dict(count=4, mean=2.5, sum=10.0, min=1, max=4, stdev=1.2909944487358056, variance=1.6666666666666667),
            dict(count=4, mean=2.5, sum=10.0, min=1, max=4, stdev=1.118033988749895, variance=1.25),
        ],
    ),
    "stats of one": (
        lambda _, sc: repr(sc.parallelize([1.5]).stats()),
        "(count: 1, mean: 1.5, stdev: 0.0, max: 1.5, min: 1.5)",
    ),
    "mean of what is not exact": (
        lambda _, sc: sc.parallelize([0.1, 0.2, 0.3, 0.7, 1.9], 2).mean(),
        0.6399999999999999,
    ),
    "deviations": (
        lambda r, _: [getattr(r.values(), name)() for name in ("stdev", "variance", "sampleStdev", "sampleVariance")],
        [1.118033988749895, 1.25, 1.2909944487358056, 1.6666666666666667],
    ),
    "sample": (
        lambda _, sc: sc.parallelize(range(100), 3).sample(False, 0.1, 81).collect(),
        [4, 27, 28, 34, 47, 49, 50, 68, 79],
    ),
    "sample with replacement": (
        lambda _, sc: sc.parallelize(range(100), 3).sample(True, 0.1, 81).collect(),
        [8, 8, 17, 30, 33, 35, 38, 41, 59, 84, 86, 89, 92],
    ),
    "sample of more than there is": (
        lambda _, sc: dict(sc.parallelize(range(3), 2).sample(True, 25.0, 7).countByValue()),
        {0: 34, 1: 27, 2: 27},
    ),
    "randomSplit": (
        lambda _, sc: [part.collect() for part in sc.parallelize(range(30), 3).randomSplit([2, 3], 17)],
        [
            [7, 9, 10, 11, 12, 17, 18, 25, 29],
            [0, 1, 2, 3, 4, 5, 6, 8, 13, 14, 15, 16, 19, 20, 21, 22, 23, 24, 26, 27, 28],
        ],
    ),
    "takeSample": (
        lambda _, sc: [
            sc.parallelize(range(10), 2).takeSample(replacement, number, 3)
            for replacement, number in [(False, 4), (True, 20), (False, 20), (False, 0)]
        ],
        [
            [1, 5, 6, 0],
            [3, 8, 1, 0, 3, 5, 4, 3, 4, 1, 3, 3, 1, 5, 2, 5, 9, 9, 8, 5],
            [1, 5, 6, 0, 9, 4, 7, 2, 8, 3],
            [],
        ],
    ),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations(sc: SparkContext, name: str) -> None:
    operation, expected = OPERATIONS[name]
    assert operation(sc.parallelize(PAIRS, 2), sc) == expected


def test_what_nothing_gives(sc: SparkContext) -> None:
    nothing: RDD[Any] = sc.parallelize([])
    assert (nothing.mean(), nothing.stats().min(), nothing.stats().max()) == (0.0, inf, -inf)
    assert all(isnan(value) for value in (nothing.stdev(), nothing.sampleVariance(), sc.parallelize([1]).sampleStdev()))
    assert nothing.takeSample(False, 5) == []
    assert sc.emptyRDD().treeAggregate(7, add, add) == 7


ERRORS: list[tuple[Callable[[RDD[Any], SparkContext], Any], str]] = [
    (lambda r, sc: r.zip(sc.parallelize(range(4), 3)), "Can only zip with RDD which has the same number of partitions"),
    (
        lambda r, sc: r.zip(sc.parallelize(range(3), 2)).collect(),
        "Can only zip RDDs with same number of elements in each",
    ),
    (lambda r, _: r.treeReduce(add, 0), "Depth cannot be smaller than 1 but got 0"),
    (lambda r, _: r.filter(lambda _: False).treeReduce(add), "Cannot reduce empty RDD"),
    (lambda r, _: r.sample(False, -0.1), "Fraction must be nonnegative"),
    (lambda r, _: r.takeSample(False, -1), "Sample size cannot be negative"),
    (lambda r, _: r.randomSplit([0.0, 0.0]), "Weights must be nonnegative and their sum positive"),
]


@pytest.mark.parametrize(("call", "text"), ERRORS)
def test_errors(sc: SparkContext, call: Callable[[RDD[Any], SparkContext], Any], text: str) -> None:
    with raises_in_task(ValueError, text):
        call(sc.parallelize(PAIRS, 2), sc)


def test_an_error_of_a_functions_own_is_not_taken_for_unequal_lengths(sc: SparkContext) -> None:
    left = sc.parallelize(["1", "x"], 1).map(int)
    with raises_in_task(ValueError, "invalid literal"):
        left.zip(left).collect()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "b.txt").write_bytes(b"one\r\ntwo\n\nthree")
    (tmp_path / "a.txt").write_bytes(b"x\n")
    for hidden in ("_hidden", ".hidden"):
        (tmp_path / hidden).write_bytes(b"hidden\n")
    return tmp_path


def test_files_of_text(sc: SparkContext, files: Path) -> None:
    lines = ["x", "one", "two", "", "three"]
    a, b = f"{files}/a.txt", f"{files}/b.txt"
    for path in (str(files), f"file:{files}", f"{files}/*.txt", f"{a},{b}"):
        assert sc.textFile(path).collect() == lines, path
    assert sc.textFile(a, use_unicode=False).collect() == [b"x"]
    assert sc.wholeTextFiles(str(files)).collect() == [(f"file:{a}", "x\n"), (f"file:{b}", "one\r\ntwo\n\nthree")]


def test_files_of_bytes(sc: SparkContext, files: Path) -> None:
    path = files / "bytes"
    path.write_bytes(b"abcdef")
    assert sc.binaryRecords(str(path), 3).collect() == [b"abc", b"def"]
    assert sc.binaryFiles(str(path)).collect() == [(f"file:{path}", b"abcdef")]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("none", "Input path does not exist: file:.*/none"),
        ("none*", r"Input Pattern file:.*/none\* matches 0 files"),
        (".", "is a directory, which is not supported"),
        ("../hdfs", "Input path does not exist"),
    ],
)
def test_paths_that_mean_no_files(sc: SparkContext, files: Path, path: str, text: str) -> None:
    (files / "directory").mkdir()
    with pytest.raises(PySparkException, match=text):
        sc.textFile(f"{files}/{path}")
