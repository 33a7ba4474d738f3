"""Worker processes: what is sent to them, and what happens when they or the program die."""

from __future__ import annotations

import os
import pickle
import re
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from processes import wait_for
from raising import raises_in_task

from millstream import SparkContext, StorageLevel
from millstream.errors import PySparkRuntimeError, PythonException, SparkRuntimeException
from millstream.rdd import RDD
from millstream.rdd.packing import CHUNK


def children() -> set[int]:
    return set(map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()))


def pids(sc: SparkContext) -> set[int]:
    return set(sc.parallelize(range(4), 4).map(lambda _: os.getpid()).collect())


def dies_once(marker: Path, how: Callable[[], Any]) -> Callable[[Any], Any]:
    """A function that ends its process the first time that it is called."""

    def function(row: Any) -> Any:
        try:
            # Two workers may be here at once; one of them makes the file.
            marker.touch(exist_ok=False)
        except FileExistsError:
            return row
        how()
        return row

    return function


def kill_oneself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_local_is_this_process_and_local_n_is_at_most_n_others() -> None:
    for master in ("local", "local[1]"):
        with SparkContext(master, "tests") as sc:
            assert pids(sc) == {os.getpid()}
    before = children()
    with SparkContext("local[2]", "tests") as sc:
        assert children() == before, "nothing is started before it is needed"
        workers = pids(sc) | pids(sc)
        assert workers == children() - before
        assert 1 <= len(workers) <= 2
    assert children() == before, "none is left, not even as a zombie"


LARGE = 2 * CHUNK + 17


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (lambda r: r.count(), LARGE),
        (lambda r: sum(r.collect()), sum(range(LARGE))),
        (lambda r: r.zip(r).map(lambda pair: pair[0] == pair[1]).countByValue(), {True: LARGE}),
        (lambda r: r.zip(r.map(str)).filter(lambda pair: str(pair[0]) != pair[1]).count(), 0),
        (lambda r: r.union(r).coalesce(1).count(), 2 * LARGE),
        (lambda r: r.mapPartitions(lambda rows: [next(rows)]).collect(), [0, LARGE // 2]),
        (lambda r: r.sortBy(lambda n: -n, numPartitions=3).take(2), [LARGE - 1, LARGE - 2]),
        (lambda r: r.map(lambda n: (n % 7, 1)).reduceByKey(lambda a, b: a + b, 3).values().sum(), LARGE),
        (lambda r: r.repartition(5).glom().map(len).map(lambda n: n // 10).collect(), [LARGE // 50] * 5),
        (lambda r: sum(1 for _ in r.toLocalIterator()), LARGE),
    ],
)
@pytest.mark.parametrize("keep", [False, True])
def test_more_rows_than_are_sent_at_a_time(
    workers: SparkContext, operation: Callable[[RDD[int]], Any], expected: Any, keep: bool
) -> None:
    rdd = workers.parallelize(range(LARGE), 2)
    assert operation(rdd.cache() if keep else rdd) == expected


def test_a_product_with_itself_reads_its_inputs_once(workers: SparkContext) -> None:
    rdd = workers.parallelize(range(4), 2).map(lambda n: n)
    assert sorted(rdd.cartesian(rdd).collect()) == [(a, b) for a in range(4) for b in range(4)]
    kept = rdd.cache()
    assert sorted(kept.cartesian(kept).collect()) == [(a, b) for a in range(4) for b in range(4)]


@pytest.mark.parametrize("how", [kill_oneself, lambda: os._exit(3)])
def test_the_partition_of_a_worker_that_died_runs_again(
    workers: SparkContext, tmp_path: Path, how: Callable[[], Any], caplog: pytest.LogCaptureFixture
) -> None:
    seen = workers.accumulator(0)

    def look(n: int) -> int:
        seen.add(1)
        return n

    rdd = workers.parallelize(range(100), 4).map(look).map(dies_once(tmp_path / "died", how))
    assert sorted(rdd.map(lambda n: (n, n)).reduceByKey(max, 2).values().collect()) == list(range(100))
    assert seen.value == 100, "what a lost task has added does not count"
    ended = "signal 9 (SIGKILL)" if how is kill_oneself else "exit code 3"
    [line] = [record.getMessage() for record in caplog.records]
    assert re.fullmatch(rf"worker process \d+ ended by {re.escape(ended)}; its task runs again, attempt 2 of 4", line)


def test_a_partition_that_kills_its_workers_fails_the_job(workers: SparkContext) -> None:
    rdd = workers.parallelize(range(4), 2).filter(lambda n: n != 3 or kill_oneself())
    with pytest.raises(
        SparkRuntimeException, match=r"lost its worker process 4 times.*signal 9.*spark.task.maxFailures"
    ):
        rdd.count()
    assert workers.parallelize(range(4), 2).count() == 4, "the next job has new workers"


def test_a_failing_task_runs_again_as_often_as_the_master_says(tmp_path: Path) -> None:
    def fail(row: Any) -> Any:
        seen.add(1)
        with open(tmp_path / "attempts", "a") as file:
            file.write("x")
        if (tmp_path / "attempts").stat().st_size < 3:
            raise ValueError("not yet")
        return row

    with SparkContext("local[2,3]", "tests") as sc:
        seen = sc.accumulator(0)
        assert sc.parallelize([1], 1).map(fail).collect() == [1]
        assert seen.value == 1
    (tmp_path / "attempts").unlink()
    with SparkContext("local[2]", "tests") as sc:
        seen = sc.accumulator(0)
        with raises_in_task(ValueError, "not yet"):
            sc.parallelize([1], 1).map(fail).collect()


class Unpicklable(Exception):
    def __init__(self, a: int, b: int) -> None:
        super().__init__(f"{a} and {b}")


def test_an_exception_that_cannot_be_pickled_arrives_as_text(workers: SparkContext) -> None:
    def fail(_: int) -> None:
        raise Unpicklable(1, 2)

    with pytest.raises(PythonException, match="Unpicklable: 1 and 2") as caught:
        workers.parallelize([1], 1).foreach(fail)
    assert caught.value.__cause__ is None


def test_sys_exit_in_a_function_is_its_failure(workers: SparkContext) -> None:
    with raises_in_task(SystemExit):
        workers.parallelize([1], 1).foreach(lambda _: exit(2))
    assert workers.parallelize([1], 1).count() == 1


def test_what_cannot_be_sent_is_said(workers: SparkContext) -> None:
    lock = threading.Lock()
    with pytest.raises(
        pickle.PicklingError, match=r"Could not serialize object: TypeError: cannot pickle '_thread.lock'"
    ):
        workers.parallelize([1], 1).map(lambda n: (n, lock)).collect()
    with pytest.raises(pickle.PicklingError, match="cannot pickle"):
        workers.parallelize([lock], 1).map(str).count()
    assert workers.parallelize([1], 1).count() == 1


@pytest.mark.parametrize(
    "use",
    [
        lambda sc, rdd: rdd.map(lambda n: sc.parallelize([n]).count()),
        lambda sc, rdd: rdd.map(lambda n: SparkContext.getOrCreate().parallelize([n]).count()),
    ],
)
def test_a_context_in_a_task_is_refused(sc: SparkContext, use: Callable[[SparkContext, RDD[int]], RDD[int]]) -> None:
    with pytest.raises(
        (PySparkRuntimeError, pickle.PicklingError, PythonException),
        match=r"CONTEXT_ONLY_VALID_ON_DRIVER.*attempting to reference SparkContext from a broadcast variable",
    ):
        use(sc, sc.parallelize([1], 1)).collect()
    assert sc.parallelize([1], 1).count() == 1


def test_an_rdd_in_a_task_is_refused(workers: SparkContext) -> None:
    other = workers.parallelize([1])
    with pytest.raises(pickle.PicklingError, match=r"RDD_TRANSFORM_ONLY_VALID_ON_DRIVER.*reference an RDD"):
        workers.parallelize([1], 1).map(lambda n: other.count() * n).collect()


def test_broadcast_values_are_read_once_and_dropped(workers: SparkContext) -> None:
    value = workers.broadcast(list(range(1000)))

    def identity(_: int) -> tuple[int, int]:
        return os.getpid(), id(value.value)

    def seen() -> set[tuple[int, int]]:
        return set(workers.parallelize(range(8), 8).map(identity).collect())

    first = seen()
    assert len(seen() | first) <= 2, "one copy in each worker"
    assert workers.parallelize([5], 1).map(lambda n: value.value[n]).collect() == [5]
    value.unpersist()
    assert workers.parallelize([5], 1).map(lambda n: value.value[n]).collect() == [5]
    value.destroy()
    assert len(value.value) == 1000, "readable in the program"
    with pytest.raises(pickle.PicklingError, match="Attempted to use Broadcast after it was destroyed"):
        seen()


def test_the_files_of_broadcast_values_go_with_the_context() -> None:
    with SparkContext("local[2]", "tests") as sc:
        value = sc.broadcast("x")
        [path] = sc.parallelize([1], 1).map(lambda _: (value.value, value._path)[1]).collect()
        assert path is not None
        assert Path(path).exists()
    assert not Path(path).parent.exists()


def test_an_accumulators_value_is_not_to_be_had_in_a_task(workers: SparkContext) -> None:
    total = workers.accumulator(0)
    with raises_in_task(PySparkRuntimeError, "VALUE_NOT_ACCESSIBLE"):
        workers.parallelize([1], 1).foreach(lambda n: total.value)


def test_threads_of_the_program_share_the_workers(workers: SparkContext) -> None:
    sums: list[int] = []

    def work(number: int) -> None:
        for _ in range(5):
            rdd = workers.parallelize(range(100), 3).map(lambda n: (n % 5, n + number))
            sums.append(rdd.reduceByKey(lambda a, b: a + b).values().sum())

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(sums) == sorted(4950 + 100 * number for number in range(6) for _ in range(5))


def test_a_forked_process_gets_workers_of_its_own(workers: SparkContext) -> None:
    before = pids(workers)
    read, write = os.pipe()
    if os.fork() == 0:
        try:
            mine = pids(workers)
            workers.stop()
            os.write(write, b"same" if mine & before else b"others")
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as answer:
        assert answer.read() == b"others"
    os.wait()
    assert pids(workers) <= children()


def test_a_module_that_comes_onto_the_path_later_is_found(workers: SparkContext, tmp_path: Path) -> None:
    assert workers.parallelize([1], 1).count() == 1
    (tmp_path / "came_later.py").write_text("def twice(n):\n    return 2 * n\n")
    workers.addPyFile(str(tmp_path / "came_later.py"))
    import came_later  # type: ignore[import-not-found]

    assert workers.parallelize([1, 2], 2).map(came_later.twice).collect() == [2, 4]


def test_kept_rows_are_computed_once(workers: SparkContext) -> None:
    computed = workers.accumulator(0)

    def look(n: int) -> int:
        computed.add(1)
        return n

    rdd = workers.parallelize(range(10), 2).map(look).persist(StorageLevel.MEMORY_ONLY)
    counted = rdd.map(lambda n: (n % 2, 1)).reduceByKey(lambda a, b: a + b, 2).cache()
    assert counted.collect() == counted.collect() == [(0, 5), (1, 5)]
    assert rdd.take(1) == [0]
    assert rdd.sum() == 45
    assert computed.value == 10


def test_jobs_can_be_cancelled(workers: SparkContext, tmp_path: Path) -> None:
    def work(_: int) -> None:
        (tmp_path / "runs").touch()
        time.sleep(600)

    def cancel() -> None:
        wait_for((tmp_path / "runs").exists)
        workers.cancelAllJobs()

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(SparkRuntimeException, match="Job cancelled as part of cancellation of all jobs"):
        workers.parallelize([1, 2], 2).foreach(work)
    thread.join()
    assert workers.parallelize([1, 2], 2).count() == 2
