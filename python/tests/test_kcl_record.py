"""Records as the processors of `millstream.kcl` get them."""

from __future__ import annotations

import pickle
from copy import deepcopy
from datetime import UTC, datetime, timedelta, timezone

import pytest

from millstream.kcl import Record

ARRIVED = datetime(2026, 11, 27, 9, 30, 15, 250_000, tzinfo=UTC)


def record(data: bytes = b"to be", key: str = "k\N{LATIN SMALL LETTER E WITH ACUTE}", sub: int = 2) -> Record:
    return Record(data, key, "4" * 56, sub, ARRIVED)


def test_a_record_made_by_hand_has_its_values() -> None:
    made = record()
    assert (made.data, made.binary_data, made.partition_key) == (b"to be", b"to be", "k\u00e9")
    assert (made.sequence_number, made.sub_sequence_number) == ("4" * 56, 2)
    assert made.approximate_arrival_timestamp == ARRIVED
    assert made.approximate_arrival_timestamp.tzinfo is UTC


def test_the_time_is_that_of_its_zone() -> None:
    there = ARRIVED.astimezone(timezone(timedelta(hours=-7)))
    assert Record(b"", "k", "1", 0, there).approximate_arrival_timestamp == ARRIVED


def test_records_are_equal_by_value() -> None:
    assert record() == record()
    assert hash(record()) == hash(record())
    assert len({record(), record(), record(sub=3)}) == 2
    assert record() != record(data=b"or not")
    assert record() != record(key="k")
    assert record() != "to be"


def test_a_pickle_and_a_copy_are_equal() -> None:
    assert pickle.loads(pickle.dumps(record())) == record()
    assert deepcopy(record()) == record()


def test_a_pattern_takes_the_values_in_order() -> None:
    match record():
        case Record(data, key, _, sub, at):
            assert (data, key, sub, at) == (b"to be", "k\u00e9", 2, ARRIVED)


def test_it_is_written_as_it_is_made() -> None:
    import datetime as module

    assert eval(repr(record()), {"Record": Record, "datetime": module}) == record()


def test_values_do_not_change() -> None:
    with pytest.raises(AttributeError):
        record().data = b"other"  # type: ignore[misc]


@pytest.mark.parametrize("number", ["", "-1", "LATEST", "1.5"])
def test_what_is_no_sequence_number_is_refused(number: str) -> None:
    with pytest.raises(ValueError, match=f"`{number}` is not a sequence number"):
        Record(b"", "k", number, 0, ARRIVED)
