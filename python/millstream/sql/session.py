"""A session: one connection to DuckDB, and the tables that RDDs have become."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from functools import cache
from itertools import count
from threading import RLock
from typing import Any, ClassVar

from millstream.conf import SparkConf
from millstream.context import SparkContext
from millstream.errors import PySparkImportError, PySparkTypeError
from millstream.rdd import RDD

try:
    import duckdb
    import pyarrow
    from sqlframe.duckdb import DuckDBSession
except ImportError as error:
    raise PySparkImportError(f"SparkSession needs {error.name}: pip install 'millstream[sql]'") from error

#: Tables of RDDs that are there at a time, apart from those that views read. A stream makes one a batch.
_TABLES = 32


_numbers = count()


@cache
def _duckdb() -> tuple[Any, Any]:
    """The connection and sqlframe's session, of which a process has one."""
    connection = duckdb.connect()
    return connection, DuckDBSession(conn=connection)


class SparkSession:
    """The session of a process; made by ``SparkSession.builder.getOrCreate()``.

    A DataFrame of an RDD can be used until 32 more have been made, and longer through a view of it. A view can be
    replaced by one with the same columns only.
    """

    _active: ClassVar[SparkSession | None] = None
    _lock: ClassVar[RLock] = RLock()

    class _Builders:
        def __get__(self, _instance: object, owner: type[SparkSession]) -> Builder:
            return Builder()

    builder = _Builders()

    def __init__(self, sparkContext: SparkContext) -> None:
        self._sc = sparkContext
        self._connection, self._session = _duckdb()
        self._tables: deque[str] = deque()

    @classmethod
    def getActiveSession(cls) -> SparkSession | None:
        """The session of the process, if there is one."""
        return cls._active

    @property
    def sparkContext(self) -> SparkContext:
        """The context of the RDDs."""
        return self._sc

    @property
    def version(self) -> str:
        """The version of PySpark whose API this is."""
        return self._sc.version

    def createDataFrame(
        self, data: Any, schema: Any = None, samplingRatio: float | None = None, verifySchema: bool = True
    ) -> Any:
        """A DataFrame of an RDD or a list of rows, or of a pandas frame.

        ``schema``: the names of the columns; or, as sqlframe takes it, with their types. Without one, columns are named
        as the first row names them (Row, dict, named tuple), else ``_1``, ``_2``...
        """
        typed = schema is not None and not (
            isinstance(schema, (list, tuple)) and all(isinstance(n, str) for n in schema)
        )
        if not isinstance(data, (RDD, list, tuple)) or typed:
            return self._session.createDataFrame(data.collect() if isinstance(data, RDD) else data, schema)
        rows = data.collect() if isinstance(data, RDD) else list(data)
        return self._table(_columns(rows, schema))

    def sql(self, sqlQuery: str, **options: Any) -> Any:
        """The DataFrame that a query gives."""
        with self._lock:
            return self._session.sql(sqlQuery, **options)

    def stop(self) -> None:
        """Ends the session and its context."""
        with self._lock:
            SparkSession._active = None
            self._session.temp_views.clear()
            for name in self._tables:
                self._connection.execute(f"DROP TABLE {name}")
            self._tables.clear()
        self._sc.stop()

    def _table(self, columns: dict[str, list[Any]]) -> Any:
        with self._lock:
            self._drop_old()
            name = f"rdd_{next(_numbers)}"
            self._connection.register("rows_of_rdd", pyarrow.table(columns))
            self._connection.execute(f"CREATE TABLE {name} AS SELECT * FROM rows_of_rdd")
            self._connection.unregister("rows_of_rdd")
            self._tables.append(name)
            return self._session.table(name)

    def _drop_old(self) -> None:
        if len(self._tables) < _TABLES:
            return
        viewed = " ".join(view.expression.sql() for view in self._session.temp_views.values())
        for name in [self._tables.popleft() for _ in range(len(self._tables) - _TABLES + 1)]:
            if re.search(rf"\b{name}\b", viewed):
                self._tables.append(name)
            else:
                self._connection.execute(f"DROP TABLE {name}")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def __enter__(self) -> SparkSession:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class Builder:
    """Settings of a session; they go to the context, if it is not there yet."""

    def __init__(self) -> None:
        self._conf = SparkConf()

    def config(self, key: str | None = None, value: Any = None, conf: SparkConf | None = None, **_: Any) -> Builder:
        """One key, or all of a ``SparkConf``."""
        if conf is not None:
            self._conf.setAll(conf.getAll())
        if key is not None:
            self._conf.set(key, value)
        return self

    def master(self, master: str) -> Builder:
        """Sets ``spark.master``."""
        self._conf.setMaster(master)
        return self

    def appName(self, name: str) -> Builder:
        """Sets ``spark.app.name``."""
        self._conf.setAppName(name)
        return self

    def enableHiveSupport(self) -> Builder:
        """There is no Hive here: nothing changes."""
        return self

    def getOrCreate(self) -> SparkSession:
        """The session of the process, or a new one."""
        with SparkSession._lock:
            active = SparkSession._active
            if active is None or active.sparkContext._stopped:
                active = SparkSession._active = SparkSession(SparkContext.getOrCreate(self._conf))
            return active


def _columns(rows: list[Any], names: Iterable[str] | None) -> dict[str, list[Any]]:
    if not rows:
        raise ValueError("RDD is empty")
    first = rows[0]
    if isinstance(first, dict):
        return {str(name): [row.get(name) for row in rows] for name in names or first}
    if not isinstance(first, (tuple, list)):
        raise PySparkTypeError(f"Can not infer schema for type: {type(first)}")
    own = getattr(first, "__fields__", None) or getattr(first, "_fields", None)
    chosen = list(names or own or [f"_{number}" for number in range(1, len(first) + 1)])
    return dict(zip(chosen, map(list, zip(*rows, strict=True)), strict=True))
