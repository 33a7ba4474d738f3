"""SparkSession over RDDs; skipped where sqlframe is not installed (`make test-extras` installs it)."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from processes import Submitter

from millstream import SparkConf, SparkContext

pytest.importorskip("sqlframe")
pytest.importorskip("duckdb")

from millstream.sql import Row, SparkSession


@pytest.fixture
def spark(sc: SparkContext) -> Iterator[SparkSession]:
    with SparkSession.builder.config(conf=SparkConf()).getOrCreate() as session:
        assert session.sparkContext is sc
        yield session


def dicts(frame: Any) -> list[dict[str, Any]]:
    return [row.asDict() for row in frame.collect()]


def test_queries_on_a_view_of_an_rdd(spark: SparkSession) -> None:
    for words in (["a", "b", "a"], ["c"]):
        rdd = spark.sparkContext.parallelize(words, 2).map(lambda word: Row(word=word))
        spark.createDataFrame(rdd).createOrReplaceTempView("words")
        counted = spark.sql("SELECT word, count(*) AS total FROM words GROUP BY word ORDER BY word")
        assert dicts(counted) == [{"word": word, "total": words.count(word)} for word in sorted(set(words))]


@pytest.mark.parametrize(
    ("rows", "schema", "expected"),
    [
        ([(1, "x")], None, {"_1": 1, "_2": "x"}),
        ([(1, "x")], ["n", "s"], {"n": 1, "s": "x"}),
        ([{"n": 1}], None, {"n": 1}),
        ([(1, "x")], "n int, s string", {"n": 1, "s": "x"}),
    ],
)
def test_names_of_columns(spark: SparkSession, rows: list[Any], schema: Any, expected: dict[str, Any]) -> None:
    assert dicts(spark.sparkContext.parallelize(rows).toDF(schema)) == [expected]
    assert dicts(spark.createDataFrame(rows, schema)) == [expected]


def test_errors(spark: SparkSession) -> None:
    with pytest.raises(ValueError, match="RDD is empty"):
        spark.createDataFrame(spark.sparkContext.emptyRDD())
    with pytest.raises(TypeError, match="Can not infer schema for type: <class 'int'>"):
        spark.createDataFrame([1])


def test_old_tables_go_and_those_of_views_stay(spark: SparkSession) -> None:
    spark.createDataFrame([(1,)], ["n"]).createOrReplaceTempView("kept")
    for number in range(70):
        spark.createDataFrame([(number,)], ["m"])
    assert dicts(spark.sql("SELECT n FROM kept")) == [{"n": 1}]
    assert spark._connection.execute("SELECT count(*) FROM duckdb_tables()").fetchall() == [(32,)]


def test_the_example(submit: Submitter) -> None:
    example = Path(__file__).resolve().parents[2] / "examples" / "streaming" / "sql_wordcount.py"
    with socket.create_server(("127.0.0.1", 0)) as server:
        program = submit.start("--master", "local[2]", str(example), *map(str, server.getsockname()))
        assert program.stdout is not None
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"to be or not to be\n")
            lines: list[str] = []
            while not lines or not lines[-1].startswith("| or"):
                lines.append(program.stdout.readline().strip().replace("  ", " "))
                assert lines[-1] or program.poll() is None
        program.terminate()
        program.wait(20)
    table = [line.split() for line in lines if line.startswith("|")]
    assert [row[1::2] for row in table[-5:]] == [
        ["word", "total"],
        ["be", "2"],
        ["to", "2"],
        ["not", "1"],
        ["or", "1"],
    ][: len(table)]
