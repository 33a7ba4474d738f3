"""How batches are parted for executors, and what becomes of the parts there."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from millstream import kinesis_client
from millstream.cluster.parts import RangePart, Reading, rows_of_part
from millstream.cluster.planning import Plan
from millstream.kinesis_client import MissingRecords, Range
from millstream.streaming.kinesis_input import KinesisSettings
from millstream.streaming.kinesis_rows import data_rows, record_rows, text_rows

SETTINGS = KinesisSettings(
    "app", "words", "http://h:1", "r", "LATEST", 1.0, "AKID", "hidden", None, None, None, {}
)  # fmt: skip
READING = Reading.of(SETTINGS)


class Block:
    """As the native one: the records of a shard that follow on each other from a number on."""

    stream = "words"

    def __init__(self, shard: str, number: int, *data: bytes) -> None:
        self.shard, self.number, self.data = shard, number, list(data)
        self.byte_len = sum(map(len, data))
        self.first = f"{number}:0" if data else None
        self.last = f"{number + len(data) - 1}:0" if data else None

    def __len__(self) -> int:
        return len(self.data)

    def data_list(self) -> list[bytes]:
        return self.data

    def utf8_list(self) -> list[str]:
        return [data.decode() for data in self.data]

    def partition_keys(self) -> list[str]:
        return [f"key-{data.decode()}" for data in self.data]

    def sequence_numbers(self) -> list[str]:
        return [str(self.number + index) for index in range(len(self.data))]

    def sub_sequence_numbers(self) -> list[int]:
        return [0] * len(self.data)

    def arrival_times(self) -> list[int]:
        return [1_700_000_000_500] * len(self.data)


BLOCKS: Any = [
    Block("a", 1, b"1", b"2"),
    Block("a", 3),
    Block("a", 3, b"3"),
    Block("b", 1, b"4444"),
    Block("b", 2, b"5", b"6"),
    Block("c", 1),
]


def described(plan: Plan) -> list[str]:
    parts = plan.parts(BLOCKS, all_columns=False)
    return [shown(part.range) if isinstance(part, RangePart) else f"{len(part.carried)} blocks" for part in parts]


def shown(read: Range) -> str:
    return f"{read.shard} [{read.first}, {read.to}] {read.records} records"


@pytest.mark.parametrize(
    ("carried", "parallelism", "parts"),
    [
        (1024, 1, ["2 blocks", "2 blocks"]),
        # 9 bytes in two parts: at most 5 each, and 4 are carried along.
        (4, 2, ["2 blocks", "1 blocks", "1 blocks"]),
        (2, 2, ["a [1:0, 3:0] 3 records", "b [1:0, 1:0] 1 records", "1 blocks"]),
        (0, 1, ["a [1:0, 3:0] 3 records", "b [1:0, 3:0] 3 records"]),
        (
            0,
            100,
            [
                "a [1:0, 2:0] 2 records",
                "a [3:0, 3:0] 1 records",
                "b [1:0, 1:0] 1 records",
                "b [2:0, 3:0] 2 records",
            ],
        ),
    ],
)
def test_a_part_is_of_one_shard_and_has_its_share(carried: int, parallelism: int, parts: list[str]) -> None:
    assert described(Plan(carried, parallelism)) == parts


def test_no_records_no_parts() -> None:
    assert Plan(1, 1).parts([], True) == Plan(1, 1).parts([BLOCKS[1]], True) == []


@pytest.mark.parametrize("rows", [text_rows, data_rows, record_rows])
def test_what_is_carried_along_is_as_it_was(rows: Any) -> None:
    parts = Plan(1024, 1).parts(BLOCKS, all_columns=rows is record_rows)
    function, sent = pickle.loads(pickle.dumps((partial(rows_of_part, rows, READING), parts)))
    assert [row for part in sent for row in function(part)] == [row for block in BLOCKS for row in rows(block)]


class Read:
    """As the native one."""

    def __init__(self, blocks: list[Any], missing: int) -> None:
        self.blocks, self.missing = blocks, missing

    def __iter__(self) -> Iterator[Any]:
        return iter(self.blocks)


class Client:
    """As the native one, of a stream that has lost some records."""

    def __init__(self, missing: int) -> None:
        self.asked: list[Any] = []
        self.missing = missing

    def read_again(self, *range: Any) -> Read:
        self.asked.append(range)
        return Read(BLOCKS[3:5], self.missing)


@pytest.mark.parametrize("missing", [0, 2])
def test_a_range_is_read_where_it_is_computed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], missing: int
) -> None:
    client = Client(missing)
    monkeypatch.setattr(kinesis_client, "client_of", lambda _: client)
    part = pickle.loads(pickle.dumps(RangePart.of(BLOCKS[3:5])))
    careless = READING._replace(fails_on_loss=False)
    assert list(rows_of_part(text_rows, careless, part)) == ["4444", "5", "6"]
    assert client.asked == [("words", "b", "1:0", "3:0", 3)]
    lost = "2 of 3 records are not in the stream any more, of words/b from 1:0 to 3:0"
    assert (lost in capsys.readouterr().err) == bool(missing)
    if missing:
        with pytest.raises(MissingRecords) as caught:
            list(rows_of_part(text_rows, READING, part))
        assert "spark.millstream.failOnDataLoss=false" in caught.value.__notes__[0]


def test_settings_show_no_secret() -> None:
    assert READING.settings.secret == "hidden"
    for shown in (repr(READING), repr(SETTINGS), str([READING])):
        assert "hidden" not in shown
