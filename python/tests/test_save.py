"""Text files of a dataset."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from raising import raises_in_task

from millstream import SparkContext
from millstream.errors import IllegalArgumentException


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.mark.parametrize("form", ["{}", "file://{}", "file:{}"])
def test_lines_of_strings_bytes_and_other_objects(sc: SparkContext, tmp_path: Path, form: str) -> None:
    rdd = sc.parallelize(["a", b"b\xff", 3, None, ("x", 1)], 2)
    rdd.saveAsTextFile(form.format(tmp_path / "out"))
    assert contents(tmp_path / "out") == {
        "part-00000": b"a\nb\xff\n",
        "part-00001": b"3\nNone\n('x', 1)\n",
        "_SUCCESS": b"",
    }


def test_gzip(sc: SparkContext, tmp_path: Path) -> None:
    sc.parallelize(["a"], 1).saveAsTextFile(str(tmp_path / "out"), "org.apache.hadoop.io.compress.GzipCodec")
    assert gzip.decompress((tmp_path / "out" / "part-00000.gz").read_bytes()) == b"a\n"


def test_an_existing_directory_is_not_touched(sc: SparkContext, tmp_path: Path) -> None:
    with pytest.raises(FileExistsError, match=f"Output directory file:{tmp_path} already exists"):
        sc.parallelize(["a"]).saveAsTextFile(str(tmp_path))
    assert contents(tmp_path) == {}


def test_a_failure_leaves_nothing(sc: SparkContext, tmp_path: Path) -> None:
    with raises_in_task(ZeroDivisionError):
        sc.parallelize([1, 0], 2).map(lambda x: 1 // x).saveAsTextFile(str(tmp_path / "out"))
    assert list(tmp_path.iterdir()) == []


def test_other_file_systems_and_codecs_are_refused(sc: SparkContext, tmp_path: Path) -> None:
    with pytest.raises(IllegalArgumentException, match="s3://bucket/x: only local paths"):
        sc.parallelize(["a"]).saveAsTextFile("s3://bucket/x")
    with pytest.raises(IllegalArgumentException, match="SnappyCodec is not served"):
        sc.parallelize(["a"]).saveAsTextFile(str(tmp_path / "x"), "org.apache.hadoop.io.compress.SnappyCodec")
