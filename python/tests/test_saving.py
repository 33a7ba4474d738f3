"""What is saved of the states, and what a program's next run makes of it."""

from __future__ import annotations

import queue
from collections.abc import Callable
from operator import add, sub
from pathlib import Path
from typing import Any

import pytest
from processes import Submitter

from millstream import SparkContext
from millstream.errors import PySparkRuntimeError
from millstream.rdd.partitions import Slices
from millstream.streaming import DStream, StreamingContext
from millstream.streaming.keyed_state import Changes, KeyedState
from millstream.streaming.saving import States
from millstream.streaming.stateful import _update_all

WAIT_S = 10
BATCH_S = 0.05
Program = Callable[[StreamingContext], DStream[Any]]


def total(values: list[int], state: int | None) -> int | None:
    return sum(values, state or 0) or None


class Run:
    """Runs a program for some batches over one directory."""

    def __init__(self, sc: SparkContext, directory: Path) -> None:
        self.sc = sc
        self.directory = str(directory)

    def __call__(self, program: Program, count: int, anew: bool = False) -> list[list[Any]]:
        seen: queue.Queue[list[Any]] = queue.Queue()

        def setup() -> StreamingContext:
            ssc = StreamingContext(self.sc, BATCH_S)
            ssc.checkpoint(self.directory)
            program(ssc).foreachRDD(lambda rdd: seen.put(sorted(rdd.collect())))
            return ssc

        ssc = setup() if anew else StreamingContext.getOrCreate(self.directory, setup)
        ssc.start()
        rows = [seen.get(timeout=WAIT_S) for _ in range(count)]
        ssc.stop(stopSparkContext=False, stopGraceFully=True)
        return rows


@pytest.fixture
def run(sc: SparkContext, tmp_path: Path) -> Run:
    return Run(sc, tmp_path / "checkpoint")


def test_state_goes_on_in_a_new_version_of_the_program(run: Run) -> None:
    assert run(lambda ssc: ssc.queueStream([[("a", 1), ("b", 2)]]).updateStateByKey(total, 3), 1) == [
        [("a", 1), ("b", 2)]
    ]

    def changed(values: list[int], state: int | None) -> int | None:
        return (state or 0) - sum(values)

    assert run(lambda ssc: ssc.queueStream([[("b", 10)]]).updateStateByKey(changed, 2, [("c", 5)]), 1) == [
        [("a", 1), ("b", -8)]
    ]


def test_without_get_or_create_the_state_begins_anew(run: Run) -> None:
    program: Program = lambda ssc: ssc.queueStream([[("a", 1)]]).updateStateByKey(total)  # noqa: E731
    assert run(program, 1) == run(program, 1, anew=True) == [[("a", 1)]]
    assert run(program, 1) == [[("a", 2)]]


def test_a_window_goes_on(run: Run) -> None:
    def program(*batches: list[tuple[str, int]]) -> Program:
        return lambda ssc: ssc.queueStream(batches).reduceByKeyAndWindow(add, sub, 100)

    assert run(program([("a", 1)], [("a", 2), ("b", 1)]), 2)[-1] == [("a", 3), ("b", 1)]
    assert run(program([("b", 5)]), 1) == [[("a", 3), ("b", 6)]]


def test_a_changed_window_is_made_of_the_saved_batches(run: Run) -> None:
    assert run(lambda ssc: ssc.queueStream([[("a", 1)]]).reduceByKeyAndWindow(add, sub, 100), 1) == [[("a", 1)]]
    longer: Program = lambda ssc: ssc.queueStream([[("a", 5)]]).reduceByKeyAndWindow(add, sub, 200)  # noqa: E731
    assert run(longer, 1) == [[("a", 6)]]


def test_the_state_of_a_removed_operation_is_dropped_with_a_word(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run(lambda ssc: ssc.queueStream([[("a", 1)]]).updateStateByKey(total), 1)
    run(lambda ssc: ssc.queueStream([[1]]), 1)
    assert "the program has no 'updateStateByKey 1' any more: its saved state is dropped" in capsys.readouterr().err


def test_values_that_cannot_be_saved_fail_their_batch(run: Run) -> None:
    def setup() -> StreamingContext:
        ssc = StreamingContext(run.sc, BATCH_S)
        ssc.queueStream([[("a", 1)]]).updateStateByKey(lambda values, state: lambda: 1).foreachRDD(lambda rdd: None)
        return ssc

    ssc = StreamingContext.getOrCreate(run.directory, setup)
    ssc.start()
    with pytest.raises(PySparkRuntimeError, match="the state of 'updateStateByKey 1' can't be saved"):
        ssc.awaitTermination(WAIT_S)
    ssc.stop(stopSparkContext=False)


def test_only_what_can_have_changed_is_saved() -> None:
    state = KeyedState(1)
    advance = _update_all(lambda values, old: [*(old or []), *values] if isinstance(old, list) else total(values, old))

    def batch(*groups: tuple[str, list[int]]) -> Changes | None:
        state.next([Slices(groups, 1)], advance)
        return state.changes()

    assert batch(("a", [1]), ("b", [2])) == ({"a": 1, "b": 2}, [])
    assert batch(("b", [3])) == ({"b": 5}, [])
    assert batch(("a", [-1])) == ({}, ["a"])
    assert state.changes() is None, "no batch since"


def test_states_are_restored_from_everything_and_the_changes_since() -> None:
    def states(partitions: int) -> tuple[States, KeyedState]:
        made, state = States(), KeyedState(partitions)
        made.add("updateStateByKey", state)
        return made, state

    first, state = states(1)
    advance = _update_all(total)
    saved: list[tuple[str, bytes]] = []
    for rows in ([("a", [1]), ("b", [1])], [("b", [-1]), ("c", [7])], [("c", [1])]):
        state.next([Slices(rows, 1)], advance)
        saved += first.changes()
    second, restored = states(2)
    second.restore(saved)
    assert restored.all() == state.all() == ({"a": 1, "c": 8}, [])
    assert second.changes() == [], "nothing is new"
    third, again = states(3)
    third.restore(second.all())
    assert again.all() == state.all()


def test_a_disk_that_takes_no_more_is_told(submit: Submitter) -> None:
    program = submit.program(
        """
import resource, sys
from pyspark import SparkContext
from pyspark.streaming import StreamingContext

resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, 5_000))
ssc = StreamingContext(SparkContext(), 0.05)
ssc.checkpoint("checkpoint")
batches = [[(f"{batch} {n}", 1) for n in range(100)] for batch in range(20)]
ssc.queueStream(batches).updateStateByKey(lambda values, state: 1).foreachRDD(lambda rdd: None)
ssc.start()
ssc.awaitTermination(10)
"""
    )
    done = submit(program)
    assert done.returncode == 1
    assert "the checkpoint file checkpoint/checkpoint-0 can't be written: File too large" in done.stderr
    assert "nothing is saved any more until the program is started again" in done.stderr
