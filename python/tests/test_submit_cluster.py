"""Submissions to a cluster, as far as they need none: what Spark is given, and what is said where there is no Spark."""

from __future__ import annotations

import os
import shlex
import sys
import zipfile
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from millstream.cluster.checks import check_release, tell_of_speculation
from millstream.conf import SparkConf
from millstream.errors import PySparkRuntimeError
from millstream.submit import cluster
from millstream.submit.arguments import Submission, SubmitError, parse
from millstream.submit.cluster import prepare, submit_arguments
from millstream.submit.served import check

KINESIS = "org.apache.spark:spark-streaming-kinesis-asl_2.11:2.2.0"
MASTER = "spark://host:7077"


def submitted(line: str) -> Submission:
    return parse([*line.split(), "dir/p.py", "argument"])


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", ""),
        ("--name x --conf a=b=c", "--conf a=b=c"),
        (f"--packages {KINESIS},a:b:1 --jars x.jar", "--packages a:b:1 --jars x.jar"),
        (f"--packages {KINESIS} --jars lib/spark-streaming-kinesis-asl_2.11-2.2.0.jar", ""),
        ("--conf spark.jars.packages=a:b:1 --conf spark.submit.pyFiles=a.py", "--py-files a.py --packages a:b:1"),
        ("--executor-memory 1g --num-executors=2 --supervise", "--executor-memory 1g --num-executors 2 --supervise"),
        (
            "--py-files a.zip,b.py --files c --archives e.tar.gz#e",
            "--py-files a.zip,b.py --files c --archives e.tar.gz#e",
        ),
    ],
)
def test_spark_is_given_what_is_not_built_in(line: str, words: str) -> None:
    submission = submitted(f"--master {MASTER} {line}")
    name = submission.settings()["spark.app.name"]
    quiet = ["--conf", "spark.ui.showConsoleProgress=false"]
    assert submit_arguments(submission) == ["--master", MASTER, "--name", name, *quiet, *words.split(), "pyspark-shell"]


def test_a_wheel_is_unpacked_on_the_executors_import_path(tmp_path: Path) -> None:
    wheel = tmp_path / "millstream-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("millstream/x", "x")
    line = f"--master {MASTER} --py-files {wheel},a.py --conf spark.executorEnv.PYTHONPATH=/own"
    words = submit_arguments(submitted(line))
    assert words[words.index("--py-files") + 1] == "a.py"
    archive, _, name = words[words.index("--archives") + 1].partition("#")
    assert archive.endswith(".zip") and Path(archive).read_bytes() == wheel.read_bytes()
    assert f"spark.executorEnv.PYTHONPATH={name}{os.pathsep}/own" in words
    with pytest.raises(SubmitError, match=r"no such file in --py-files: nowhere\.whl"):
        submit_arguments(submitted(f"--master {MASTER} --py-files nowhere.whl"))


@pytest.mark.parametrize(
    ("line", "given", "expected"),
    [
        ("--master spark://h:1", None, sys.executable),
        ("--master local-cluster[1,1,512]", None, sys.executable),
        ("--master spark://h:1", "/other/python", "/other/python"),
        ("--master spark://h:1 --conf spark.pyspark.python=/conf/python", "/other/python", "/conf/python"),
        ("--master yarn", None, None),
    ],
)
def test_executors_run_this_python_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch, line: str, given: str | None, expected: str | None
) -> None:
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", "")
    monkeypatch.setenv("PYSPARK_PYTHON", given or "")
    if given is None:
        monkeypatch.delenv("PYSPARK_PYTHON")
    prepare(submitted(line))
    assert os.environ.get("PYSPARK_PYTHON") == expected
    assert shlex.split(os.environ["PYSPARK_SUBMIT_ARGS"])[:2] == line.split()[:2]


@pytest.fixture
def program(tmp_path: Path) -> str:
    path = tmp_path / "program.py"
    path.write_text("")
    return str(path)


def test_a_cluster_needs_a_recent_pyspark(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    def absent(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(cluster, "version", absent)
    with pytest.raises(SubmitError, match=r"pip install 'millstream\[spark\]'"):
        check(parse(["--master", MASTER, program]))
    monkeypatch.setattr(cluster, "version", lambda _: "3.5.9")
    with pytest.raises(SubmitError, match=r"PySpark 3\.5\.9 is too old for streams on a cluster: install pyspark 4\.0"):
        check(parse(["--master", MASTER, program]))
    for version in ("4.0.0", "4.3.0.dev1", "10.0"):
        check_release(version)
    with pytest.raises(PySparkRuntimeError):
        check_release("")


@pytest.mark.parametrize(("value", "is_told"), [("true", True), ("false", False), (None, False)])
def test_what_speculation_does_to_outputs_is_said(
    capsys: pytest.CaptureFixture[str], value: str | None, is_told: bool
) -> None:
    class Context:
        def getConf(self) -> SparkConf:
            return SparkConf() if value is None else SparkConf().set("spark.speculation", value)

    tell_of_speculation(Context())
    assert ("spark.speculation is on" in capsys.readouterr().err) is is_told


JAVA = "#!/bin/sh\necho 'openjdk version \"{}\" 2020-01-01' >&2\n"


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (None, "needs Java 17 or later, and JAVA_HOME is .*: install it, or set JAVA_HOME"),
        ("1.8.0_292", "is Java 8: set JAVA_HOME"),
        ("11.0.2", "is Java 11: set JAVA_HOME"),
        ("17.0.15", None),
        ("25-ea", None),
    ],
)
def test_a_cluster_needs_java(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: str, said: str | None, error: str | None
) -> None:
    monkeypatch.setattr(cluster, "version", lambda _: "4.0.0")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    if said is not None:
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin" / "java").write_text(JAVA.format(said))
        (tmp_path / "bin" / "java").chmod(0o755)
    submission = parse(["--master", MASTER, "--packages", KINESIS, program])
    if error is None:
        assert check(submission) == [f"{KINESIS} is built in: nothing to download"]
    else:
        with pytest.raises(SubmitError, match=error):
            check(submission)


def test_there_may_be_no_java_at_all(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(cluster, "version", lambda _: "4.0.0")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SubmitError, match="there is no java on the PATH: install it, or set JAVA_HOME"):
        check(parse(["--master", MASTER, program]))
