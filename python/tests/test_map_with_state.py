"""``mapWithState`` of streams, and what a spec takes."""

from __future__ import annotations

import queue
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from batches import WAIT_S, elements

from millstream.errors import IllegalArgumentException
from millstream.streaming import State, StateSpec, StreamingContext

BATCH_S = 0.05


def running_total(key: str, value: int | None, state: State[int]) -> tuple[str, int]:
    """The total so far."""
    state.update((state.getOption() or 0) + (value or 0))
    return key, state.get()


def test_each_pair_is_mapped_with_the_state_of_its_key(stateful: StreamingContext) -> None:
    stream = stateful.queueStream([[("a", 1), ("b", 2), ("a", 3)], [("b", 5)], [], [("c", 1)]])
    assert elements(stream.mapWithState(StateSpec.function(running_total)), 4) == [
        [("a", 1), ("a", 4), ("b", 2)],
        [("b", 7)],
        [],
        [("c", 1)],
    ]


def test_snapshots_are_all_states_after_each_batch(stateful: StreamingContext) -> None:
    stream = stateful.queueStream([[("a", 1), ("b", 2)], [("b", 5)], [], [("c", 1)]])
    spec = StateSpec.function(running_total).initialState([("z", 9), ("b", 10)]).numPartitions(2)
    snapshots = stream.mapWithState(spec).stateSnapshots()
    assert elements(snapshots, 4) == [
        [("a", 1), ("b", 12), ("z", 9)],
        [("a", 1), ("b", 17), ("z", 9)],
        [("a", 1), ("b", 17), ("z", 9)],
        [("a", 1), ("b", 17), ("c", 1), ("z", 9)],
    ]


def test_snapshots_in_a_window_are_those_of_their_batches(stateful: StreamingContext) -> None:
    stream = stateful.queueStream([[("a", 1)], [("a", 1)], [("a", 1)]])
    snapshots = stream.mapWithState(StateSpec.function(running_total)).stateSnapshots()
    assert elements(snapshots.window(3 * BATCH_S), 3)[-1] == [("a", 1), ("a", 2), ("a", 3)]


def test_a_function_with_the_time_may_map_to_nothing(stateful: StreamingContext) -> None:
    times: list[datetime] = []

    def large(time: datetime, key: str, value: int | None, state: State[int]) -> int | None:
        times.append(time)
        return value if value is not None and value > 1 else None

    stream = stateful.queueStream([[("a", 1), ("b", 2)]])
    assert elements(stream.mapWithState(StateSpec.function(large)), 1) == [[2]]
    assert times[0] == times[1] <= datetime.now()


def test_it_needs_a_checkpoint_directory(ssc: StreamingContext) -> None:
    ssc.queueStream([[("a", 1)]]).mapWithState(StateSpec.function(running_total)).pprint()
    with pytest.raises(IllegalArgumentException, match="The checkpoint directory has not been set"):
        ssc.start()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: StateSpec.function(lambda key, value: 1), "not 2 arguments"),
        (lambda: StateSpec.function(running_total).timeout(0), "a timeout must be above 0"),
        (lambda: StateSpec.function(running_total).numPartitions(0), "at least 1, not 0"),
    ],
)
def test_specs_that_make_no_sense_are_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(IllegalArgumentException, match=message):
        make()


def test_states_go_on_in_the_next_run(stateful: StreamingContext, tmp_path: Path) -> None:
    def run(*batches: list[tuple[str, int]], count: int) -> list[list[Any]]:
        seen: queue.Queue[list[Any]] = queue.Queue()

        def setup() -> StreamingContext:
            ssc = StreamingContext(stateful.sparkContext, BATCH_S)
            spec = StateSpec.function(running_total).initialState([("a", 100)])
            ssc.queueStream(batches).mapWithState(spec).foreachRDD(lambda rdd: seen.put(sorted(rdd.collect())))
            return ssc

        ssc = StreamingContext.getOrCreate(str(tmp_path / "states"), setup)
        ssc.start()
        mapped = [seen.get(timeout=WAIT_S) for _ in range(count)]
        ssc.stop(stopSparkContext=False, stopGraceFully=True)
        return mapped

    assert run([("a", 1)], [("b", 1)], count=2) == [[("a", 101)], [("b", 1)]]
    assert run([("a", 1), ("b", 1)], count=1) == [[("a", 102), ("b", 2)]]
