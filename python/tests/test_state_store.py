"""The states of ``mapWithState``: Spark's rules for states and timeouts, what they cost, and what is saved of them."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest

from millstream.errors import IllegalArgumentException, NoSuchElementException
from millstream.rdd import portable_hash
from millstream.rdd.partitions import Slices
from millstream.rdd.shuffle import Partitioned
from millstream.streaming import State, StateSpec
from millstream.streaming.saving import States
from millstream.streaming.state_store import Mapped, StateStore


def running_total(key: str, value: int | None, state: State[int]) -> tuple[str, int]:
    """The total so far, or its end as a negative number."""
    if state.isTimingOut():
        return key, -state.get()
    assert value is not None
    state.update((state.getOption() or 0) + value)
    return key, state.get()


class Batches:
    """Batches of one store without a stream, a second each."""

    def __init__(self, function: Callable[..., Any], partitions: int = 2, **options: Any) -> None:
        self.store = StateStore(
            StateSpec.function(function)._mapping,
            options.get("timeout_ms"),
            partitions,
            lambda: options.get("initial", ()),
        )
        self.partitions = partitions
        self.time_ms = 0

    def next(self, *pairs: tuple[Any, Any]) -> Mapped:
        self.time_ms += 1000
        data = Partitioned(Slices(pairs, 1), self.partitions, portable_hash) if pairs else None
        return self.store.next(self.time_ms, data)

    def __call__(self, *pairs: tuple[Any, Any]) -> list[Any]:
        return rows(self.next(*pairs))

    def states(self) -> dict[Any, Any]:
        return {key: state for key, (state, _) in self.store.all().put.items()}


def rows(node: Any) -> list[Any]:
    return sorted((row for index in range(node.partitions) for row in node.rows(index)), key=str)


def test_an_idle_key_times_out_once_and_begins_anew() -> None:
    batches = Batches(running_total, timeout_ms=2000)
    assert batches(("a", 1), ("b", 1)) == [("a", 1), ("b", 1)]
    assert batches(("b", 1)) == [("b", 2)]
    assert batches() == [], "two seconds are not more than two seconds"
    assert batches() == [("a", -1)]
    assert batches(("a", 5), ("b", 1)) == [("a", 5), ("b", 3)], "data come in time in the batch that would be too late"
    assert batches.states() == {"a": 5, "b": 3}


def test_data_without_an_update_keep_a_key_alive() -> None:
    def first(key: str, value: int | None, state: State[int]) -> Any:
        if not state.exists():
            state.update(value or 0)
        return key, state.get(), state.isTimingOut()

    batches = Batches(first, timeout_ms=1000)
    for value in range(4):
        assert batches(("a", value)) == [("a", 0, False)]
    batches()
    assert batches() == [("a", 0, True)]
    assert batches.states() == {}


def test_initial_states_wait_from_the_first_batch_on() -> None:
    batches = Batches(running_total, timeout_ms=1000, initial=[("a", 1), ("b", 2), ("a", 99)])
    assert batches(("a", 1)) == [("a", 2)]
    assert batches() == []
    assert batches() == [("a", -2), ("b", -2)]


def test_a_removed_state_is_gone_also_for_the_next_pair_of_the_batch() -> None:
    def toggle(key: str, value: int | None, state: State[int]) -> str:
        if state.exists():
            state.remove()
            with pytest.raises(NoSuchElementException, match="State is not set"):
                state.get()
            for change in (state.remove, lambda: state.update(1)):
                with pytest.raises(IllegalArgumentException, match="removed"):
                    change()
            return f"off, {state}"
        state.update(value or 0)
        return f"on, {state}"

    batches = Batches(toggle)
    assert batches(("a", 1), ("a", 2), ("a", 3)) == ["off, <state not set>", "on, 1", "on, 3"]
    assert batches(("a", 1)) == ["off, <state not set>"]
    assert batches.states() == {}


def test_a_state_that_times_out_can_be_read_only() -> None:
    def final(key: str, value: int | None, state: State[int]) -> int:
        if state.isTimingOut():
            for change in (state.remove, lambda: state.update(1)):
                with pytest.raises(IllegalArgumentException, match="the state that is timing out"):
                    change()
        else:
            state.update(7)
        return state.get()

    batches = Batches(final, timeout_ms=500)
    assert (batches(("a", 1)), batches()) == ([7], [7])


class Counted:
    """A key that counts how often anyone looks for it."""

    looks = 0

    def __init__(self, number: int) -> None:
        self.number = number

    def __hash__(self) -> int:
        Counted.looks += 1
        return self.number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Counted) and self.number == other.number


def test_only_keys_of_the_batch_and_those_that_time_out_cost_anything() -> None:
    calls: list[int] = []

    def count(key: Counted, value: int | None, state: State[int]) -> None:
        calls.append(key.number)
        if not state.isTimingOut():
            state.update(state.getOption() or 0)

    many = 20_000
    batches = Batches(count, timeout_ms=2500, initial=[(Counted(number), 0) for number in range(many)])
    states = States()
    states.add("mapWithState", batches.store)
    batches((Counted(1), 1))
    everything = len(states.changes()[0][1])
    for keys in ((1, 2, 3), (many,), range(4, many)):
        calls.clear()
        Counted.looks = 0
        batches(*((Counted(number), 1) for number in keys))
        [(_, saved)] = states.changes()
        if len(keys) < 10:
            assert (sorted(calls), Counted.looks < 20 * len(keys)) == (list(keys), True)
            assert len(saved) < everything / 100
    calls.clear()
    Counted.looks = 0
    batches()
    batches()
    assert sorted(calls) == [1, 2, 3, many], "those that were not in the last batch"
    assert Counted.looks < 100


def test_a_batch_that_failed_is_in_the_states_once() -> None:
    broken = [True]

    def total(key: str, value: int | None, state: State[int]) -> Any:
        if key == "b" and broken:
            raise ValueError("not now")
        return running_total(key, value, state)

    batches = Batches(total, partitions=1)
    batches(("a", 1))
    with pytest.raises(ValueError, match="not now"):
        batches(("a", 2), ("b", 1))
    broken.clear()
    assert batches(("a", 4)) == [("a", 7)]
    assert batches.states() == {"a": 7, "b": 1}


def test_what_is_saved_of_each_batch_makes_up_all_of_it() -> None:
    def add_or_remove(key: str, value: int | None, state: State[int]) -> None:
        state.update(value or 0) if value else state.remove()

    batches = Batches(add_or_remove, partitions=3, timeout_ms=9000, initial=[("z", 1)])
    saved: list[tuple[str, bytes]] = []
    states = States()
    states.add("mapWithState", batches.store)
    for pairs in [[("a", 1), ("b", 2)], [("a", 0), ("c", 3)], [("c", 0)], [("a", 4), ("d", 1), ("d", 0)]]:
        batches(*pairs)
        saved += states.changes()
    assert [pickle.loads(data) for _, data in saved] == [
        ({"z": (1, 1000), "a": (1, 1000), "b": (2, 1000)}, []),
        ({"c": (3, 2000)}, ["a"]),
        ({}, ["c"]),
        ({"a": (4, 4000)}, []),
    ]
    again = Batches(lambda time, key, value, state: key if state.isTimingOut() else None, 2, timeout_ms=2500)
    restored = States()
    restored.add("mapWithState", again.store)
    restored.restore(saved)
    assert again.store.all() == batches.store.all()
    again.time_ms = 4000
    assert (again(), again(), again()) == (["b", "z"], [], ["a"]), "times go on"


def test_batches_that_are_not_saved_are_saved_together() -> None:
    batches = Batches(lambda key, value, state: state.update(value) if value else state.remove(), 1)
    batches(("a", 1), ("b", 1))
    batches(("a", 0), ("b", 2))
    assert batches.store.changes() == ({"b": (2, 2000)}, [])
    batches(("b", 0))
    batches(("b", 3))
    batches(("b", 0))
    assert batches.store.changes() == ({}, ["b"])
