"""RDDs as columns: Arrow tables, pandas and Polars frames, and functions on Arrow batches.

A partition of a Kinesis stream has the columns ``data``, ``partition_key``, ``sequence_number``,
``sub_sequence_number``, ``shard_id``, ``approximate_arrival_timestamp`` and ``stream``. Of other rows, dicts and named
tuples have the columns of their names, tuples ``_1``, ``_2``..., and all else the one column ``value``. pyarrow comes
with the extra ``arrow``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from millstream.errors import PySparkImportError
from millstream.rdd.base import T
from millstream.rdd.checkpoint import CheckpointOperations
from millstream.rdd.partitions import Node

if TYPE_CHECKING:
    from millstream.rdd.rdd import RDD


_BATCH = 100_000


class ColumnOperations(CheckpointOperations[T]):
    """Columns are made where the rows are."""

    def map_batches(self, f: Callable[[Any], Any]) -> RDD[Any]:
        """Applies ``f`` to ``pyarrow.RecordBatch``es: one for each block of a Kinesis stream, else of at most
        100,000 rows.

        ``f`` returns a record batch or a table, or an iterable of rows. The rows of one column are its values, those of
        several are tuples, so that two columns are pairs (key, value).
        """
        return self._batches("map_batches").mapPartitions(partial(_mapped, f))

    def to_arrow(self) -> Any:
        """All rows as a ``pyarrow.Table``."""
        arrow = _module("pyarrow", "to_arrow")
        tables = [arrow.Table.from_batches([batch]) for batch in self._batches("to_arrow").collect()]
        return arrow.concat_tables(tables, promote_options="permissive") if tables else arrow.table({})

    def to_pandas(self) -> Any:
        """All rows as a ``pandas.DataFrame``."""
        _module("pandas", "to_pandas")
        return self.to_arrow().to_pandas()

    def to_polars(self) -> Any:
        """All rows as a ``polars.DataFrame``."""
        return _module("polars", "to_polars").from_arrow(self.to_arrow())

    def toDF(self, schema: Any = None, sampleRatio: float | None = None) -> Any:
        """The rows as a DataFrame of the process's `millstream.sql.SparkSession`, which is made if there is none."""
        from millstream.sql import SparkSession

        return SparkSession.builder.getOrCreate().createDataFrame(self, schema)

    def _batches(self, user: str) -> RDD[Any]:
        _module("pyarrow", user)
        if isinstance(self._node, Columnar):
            return self._with(Batches(self._node))
        return self.mapPartitions(_batches_of)


class Columnar(Node):
    """A dataset that has columns of its own."""

    def batch(self, index: int) -> Any:
        """One partition as a ``pyarrow.RecordBatch``."""
        raise NotImplementedError


class Batches(Node):
    """The record batches of a dataset as its rows."""

    label = "RecordBatches"

    def __init__(self, parent: Columnar) -> None:
        super().__init__(parent.partitions)
        self._parent = parent

    def compute(self, index: int) -> Iterable[Any]:
        """One."""
        return [self._parent.batch(index)]


def _mapped(function: Callable[[Any], Any], batches: Iterable[Any]) -> Iterator[Any]:
    import pyarrow as arrow

    for batch in batches:
        result = function(batch)
        if isinstance(result, (arrow.RecordBatch, arrow.Table)):
            columns = [column.to_pylist() for column in result.columns]
            yield from columns[0] if len(columns) == 1 else zip(*columns, strict=True)
        else:
            yield from result


def _batches_of(rows: Iterable[Any]) -> Iterator[Any]:
    remaining = iter(rows)
    while chunk := list(islice(remaining, _BATCH)):
        yield _batch_of(chunk)


def _batch_of(rows: list[Any]) -> Any:
    """Some rows as a ``pyarrow.RecordBatch``."""
    import pyarrow as arrow

    first = rows[0]
    if isinstance(first, dict):
        return arrow.RecordBatch.from_pylist(rows)
    if isinstance(first, tuple):
        names = getattr(first, "_fields", None) or [f"_{number}" for number in range(1, len(first) + 1)]
        return arrow.RecordBatch.from_arrays(
            [arrow.array(column) for column in zip(*rows, strict=True)], names=list(names)
        )
    return arrow.RecordBatch.from_arrays([arrow.array(rows)], names=["value"])


def _module(name: str, user: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as error:
        raise PySparkImportError(f"RDD.{user} needs {name}: pip install 'millstream[arrow]' {name}") from error
