"""DataFrames and SQL on RDDs: PySpark's ``SparkSession`` through sqlframe, over DuckDB, in the program's process.

Comes with the extra ``sql``. `SparkSession.createDataFrame` and `RDD.toDF` take RDDs; all else is sqlframe's own.
"""

from __future__ import annotations

from millstream.sql.session import SparkSession

# After the session, which says what to do where sqlframe is missing.
from sqlframe.duckdb import Row  # isort: skip

__all__ = ["Row", "SparkSession"]
