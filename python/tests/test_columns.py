"""RDDs as Arrow, pandas and Polars; skipped where these are not installed (`make test-extras` installs them)."""

from __future__ import annotations

from array import array
from collections import namedtuple
from typing import Any

import pytest

from millstream import SparkContext
from millstream.rdd import RDD
from millstream.rdd.columns import _module

pa = pytest.importorskip("pyarrow")
pc = pytest.importorskip("pyarrow.compute")

Named = namedtuple("Named", "a b")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([1, 2, 3], {"value": [1, 2, 3]}),
        (["x", None], {"value": ["x", None]}),
        ([(1, "x"), (2, "y")], {"_1": [1, 2], "_2": ["x", "y"]}),
        ([Named(1, 2), Named(3, 4)], {"a": [1, 3], "b": [2, 4]}),
        ([{"a": 1}, {"a": 2}], {"a": [1, 2]}),
        ([], {}),
    ],
)
def test_rows_as_columns(sc: SparkContext, rows: list[Any], expected: dict[str, list[Any]]) -> None:
    assert sc.parallelize(rows, 2).to_arrow().to_pydict() == expected


def test_a_function_on_batches(sc: SparkContext) -> None:
    def count(batch: Any) -> Any:
        words = pc.list_flatten(pc.split_pattern(batch.column("value"), " "))
        return pa.RecordBatch.from_struct_array(pc.value_counts(words))

    lines = sc.parallelize(["a b", "b c"] * 150_000, 2)
    counts = lines.map_batches(count).reduceByKey(lambda a, b: a + b)
    assert sorted(counts.collect()) == [("a", 150_000), ("b", 300_000), ("c", 150_000)]
    assert lines.map_batches(lambda batch: [batch.num_rows]).collect() == [100_000, 49_504, 100_000, 50_496]
    assert lines.map_batches(lambda batch: pa.table({"n": [batch.num_rows]})).sum() == 300_000


class Block:
    """As the native one."""

    shard, stream = "shard-0", "words"

    def __len__(self) -> int:
        return 2

    def data_list(self) -> list[bytes]:
        return [b"a b", b"b"]

    def utf8_list(self) -> list[str]:
        return ["a b", "b"]

    def data_buffers(self) -> tuple[bytes, bytes]:
        return array("i", [0, 3, 4]).tobytes(), b"a bb"

    def partition_key_buffers(self) -> tuple[bytes, bytes]:
        return array("i", [0, 2, 4]).tobytes(), b"k1k2"

    def sequence_number_buffers(self) -> tuple[bytes, bytes]:
        return array("i", [0, 2, 4]).tobytes(), b"4950"

    def sub_sequence_number_buffer(self) -> bytes:
        return array("q", [0, 1]).tobytes()

    def arrival_buffer(self) -> bytes:
        return array("q", [1_700_000_000_000_000, 1_700_000_000_001_000]).tobytes()


@pytest.mark.parametrize("as_text", [True, False])
def test_kinesis_blocks_have_all_columns(sc: SparkContext, as_text: bool) -> None:
    from millstream.streaming.datasets import OwnDatasets
    from millstream.streaming.kinesis import rows_of, utf8_decoder
    from millstream.streaming.kinesis_input import batch_of

    settings: Any = None

    def batch_rdd(sc: SparkContext, blocks: Any, decoder: Any) -> RDD[Any]:
        return batch_of(OwnDatasets(sc), blocks, settings, *rows_of(decoder))

    blocks: Any = [Block()]
    if as_text:
        rdd = batch_rdd(sc, blocks, utf8_decoder)
        assert rdd.map_batches(lambda batch: batch.select(["data", "partition_key"])).collect() == [
            ("a b", "k1"),
            ("b", "k2"),
        ]
    assert batch_rdd(sc, blocks, len).to_arrow().to_pydict() == {"value": [3, 1]}, "rows of the program's own"
    table = batch_rdd(sc, blocks, utf8_decoder if as_text else None).to_arrow()
    assert table.column_names == [
        "data",
        "partition_key",
        "sequence_number",
        "sub_sequence_number",
        "shard_id",
        "approximate_arrival_timestamp",
        "stream",
    ]
    first = table.to_pylist()[1]
    assert first.pop("approximate_arrival_timestamp").timestamp() == 1_700_000_000.001
    assert list(first.values()) == ["b" if as_text else b"b", "k2", "50", 1, "shard-0", "words"]


def test_frames(sc: SparkContext) -> None:
    rdd = sc.parallelize([(1, "x"), (2, "y")], 2)
    pytest.importorskip("pandas")
    assert rdd.to_pandas().to_dict("list") == {"_1": [1, 2], "_2": ["x", "y"]}
    pytest.importorskip("polars")
    assert rdd.to_polars().to_dict(as_series=False) == {"_1": [1, 2], "_2": ["x", "y"]}


def test_what_is_missing_is_said() -> None:
    with pytest.raises(ImportError, match=r"RDD.to_x needs no_such_module: pip install 'millstream\[arrow\]'"):
        _module("no_such_module", "to_x")
