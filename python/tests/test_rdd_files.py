"""What RDD operations leave in files, and what they let other programs do. Expected values are PySpark 4.3.0's."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from raising import raises_in_task

from millstream import SparkContext
from millstream.errors import PySparkRuntimeError, SparkRuntimeException
from millstream.rdd import RDD


class Point:
    def __init__(self, x: int) -> None:
        self.x = x

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Point) and other.x == self.x

    def __hash__(self) -> int:
        return self.x


def test_pickle_files_keep_objects_and_partitions(sc: SparkContext, tmp_path: Path) -> None:
    rows: list[Any] = [None, "x", (1, b"y"), {"k": [1.5]}, Point(3)]
    sc.parallelize(rows, 2).saveAsPickleFile(str(tmp_path / "out"))
    read = sc.pickleFile(f"file://{tmp_path}/out")
    assert read.glom().map(len).collect() == [2, 3]
    assert read.collect() == rows
    with pytest.raises(FileExistsError):
        sc.parallelize([1]).saveAsPickleFile(str(tmp_path / "out"))


@pytest.mark.parametrize("local", [False, True])
def test_a_checkpoint_is_made_by_the_first_job_and_cuts_the_lineage(
    sc: SparkContext, tmp_path: Path, local: bool
) -> None:
    computed = sc.accumulator(0)

    def look(n: int) -> int:
        computed.add(1)
        return n

    sc.setCheckpointDir(str(tmp_path))
    rdd = sc.parallelize(range(10), 3).map(look)
    child = rdd.map(lambda n: n + 1)
    if local:
        rdd.localCheckpoint()
    else:
        rdd.checkpoint()
    assert (rdd.isCheckpointed(), rdd.isLocallyCheckpointed(), rdd.getCheckpointFile()) == (False, local, None)
    assert child.sum() == child.sum() == 55
    assert rdd.take(4) == [0, 1, 2, 3]
    assert computed.value == 10
    assert rdd.isCheckpointed()
    assert b"ParallelCollectionRDD" not in child.toDebugString()
    rdd.persist().unpersist()
    assert rdd.map(lambda n: (n % 2, n)).reduceByKey(lambda a, b: a + b).values().sum() == 45
    assert computed.value == 10
    directory = rdd.getCheckpointFile()
    if local:
        assert directory is None
    else:
        assert directory is not None
        assert Path(directory).parent.parent == tmp_path
        assert sc.getCheckpointDir() == str(Path(directory).parent)
        assert sorted(path.name for path in Path(directory).iterdir())[1:] == [f"part-0000{n}" for n in range(3)]


def test_a_checkpoint_needs_a_directory(sc: SparkContext) -> None:
    with pytest.raises(SparkRuntimeException, match="Checkpoint directory has not been set in the SparkContext"):
        sc.parallelize([1]).checkpoint()


@pytest.mark.parametrize(
    ("rows", "buckets", "expected"),
    [
        (range(51), 2, ([0, 25, 50], [25, 26])),
        (range(51), [0, 5, 25, 50], ([0, 5, 25, 50], [5, 20, 26])),
        (range(51), [0, 15, 30, 45, 60], ([0, 15, 30, 45, 60], [15, 15, 15, 6])),
        (["ab", "ac", "b", "bd", "ef"], ("a", "b", "c"), (["a", "b", "c"], [2, 2])),
        ([1, 2, 3, 4], 3, ([1, 2, 3, 4], [1, 1, 2])),
        ([1, 4], 2, ([1, 2.5, 4], [1, 1])),
        ([5, 5], 10, ([5, 5], [2])),
        ([1.0, math.nan, None, 3.0], 2, ([1.0, 2.0, 3.0], [1, 1])),
        (["b", "a"], 1, (["a", "b"], [2])),
    ],
)
def test_histogram(sc: SparkContext, rows: Any, buckets: Any, expected: Any) -> None:
    assert sc.parallelize(rows, 3).histogram(buckets) == expected


@pytest.mark.parametrize(
    ("rows", "buckets", "error", "text"),
    [
        ([1], 0, ValueError, "number of buckets must be >= 1"),
        ([], 2, ValueError, "can not generate buckets from empty RDD"),
        ([1, math.inf], 2, ValueError, "Can not generate buckets with infinite value"),
        (["a", "b"], 2, TypeError, "Can not generate buckets with non-number in RDD"),
        ([1], [1], ValueError, "should have more than one bucket"),
        ([1], [2, 1], ValueError, "buckets should be sorted"),
        ([1], [1, 1], ValueError, "buckets should not contain duplicated values"),
        ([1], [1, None], ValueError, "can not have None or NaN in buckets"),
        ([1], "x", TypeError, "buckets should be a list or tuple or number"),
    ],
)
def test_histogram_errors(sc: SparkContext, rows: Any, buckets: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        sc.parallelize(rows).histogram(buckets)


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        (lambda r: r.pipe("cat").collect(), ["1", "2", "", "3"]),
        (lambda r: r.pipe("/usr/bin/wc -l").map(str.strip).collect(), ["2", "2"]),
        (lambda r: r.pipe("/bin/sh -c 'echo $WHO $HOME'", {"WHO": "me"}).collect(), ["me", "me"]),
        (lambda r: r.pipe("/bin/sh -c 'exit 3'").collect(), []),
        (lambda r: r.pipe("cat").take(1), ["1"]),
        (lambda r: r.ctx.parallelize(range(200_000), 2).pipe("/bin/echo x").collect(), ["x", "x"]),
    ],
)
def test_pipe(sc: SparkContext, use: Callable[[RDD[Any]], Any], expected: Any) -> None:
    assert use(sc.parallelize(["1", "2", "", "3"], 2)) == expected


def test_pipe_errors(sc: SparkContext) -> None:
    rdd = sc.parallelize(["1", "x"], 1)
    with raises_in_task(PySparkRuntimeError, r"Pipe function `/bin/sh -c 'exit 3'' exited with error code 3"):
        rdd.pipe("/bin/sh -c 'exit 3'", checkCode=True).collect()
    with raises_in_task(ValueError, "invalid literal"):
        rdd.map(int).pipe("cat").collect()
