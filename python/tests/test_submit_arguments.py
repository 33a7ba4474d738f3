"""The command line of `submit`."""

from __future__ import annotations

from pathlib import Path

import pytest

from millstream.submit.arguments import Submission, SubmitError, parse
from millstream.submit.served import check

KINESIS = "org.apache.spark:spark-streaming-kinesis-asl_2.11:2.2.0"


@pytest.fixture
def program(tmp_path: Path) -> str:
    path = tmp_path / "program.py"
    path.write_text("")
    return str(path)


@pytest.mark.parametrize(
    ("line", "settings"),
    [
        ("", {"spark.master": "local[*]", "spark.app.name": "p.py"}),
        ("--master local[2] --name x", {"spark.master": "local[2]", "spark.app.name": "x"}),
        ("--master=local --name=a=b", {"spark.master": "local", "spark.app.name": "a=b"}),
        ("--conf a=1 --conf=b=2 -c c=x=y", {"a": "1", "b": "2", "c": "x=y"}),
        ("--conf spark.master=local[3]", {"spark.master": "local[3]"}),
        ("--master local[4] --conf spark.master=local[3]", {"spark.master": "local[4]"}),
        ("--driver-memory 4g --executor-cores=2 --supervise", {"spark.master": "local[*]"}),
    ],
)
def test_settings(line: str, settings: dict[str, str]) -> None:
    submission = parse([*line.split(), "dir/p.py", "one", "--two", "--conf"])
    assert {key: submission.settings().get(key) for key in settings} == settings
    assert submission.program == "dir/p.py"
    assert submission.arguments == ["one", "--two", "--conf"], "what follows the program is the program's"


def test_a_flag_goes_over_conf_and_conf_over_the_properties_file(tmp_path: Path) -> None:
    path = tmp_path / "p.conf"
    path.write_text(
        "# a comment\n! another\n\nspark.master local[1]\na=file\nb : file\nc\n"
        "  d =  two \\\n   words  \nspark.app.name=file\n"
    )
    settings = parse(["--properties-file", str(path), "--conf", "a=conf", "--name", "flag", "p.py"]).settings()
    assert settings == {
        "spark.master": "local[1]",
        "a": "conf",
        "b": "file",
        "c": "",
        "d": "two words",
        "spark.app.name": "flag",
    }


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("", "Missing application resource"),
        ("--master", "Missing argument for option '--master'."),
        ("--foo p.py", "Unrecognized option: --foo"),
        ("--conf abc p.py", "Invalid argument to --conf: abc"),
        ("--properties-file nope p.py", "Invalid properties file 'nope'"),
    ],
)
def test_command_lines_that_are_not_understood(line: str, error: str) -> None:
    with pytest.raises(SubmitError, match=error):
        parse(line.split())


@pytest.mark.parametrize(("word", "action"), [("--help", "help"), ("-h", "help"), ("--version", "version")])
def test_questions(word: str, action: str) -> None:
    assert parse([word]).action == action


@pytest.mark.parametrize(
    ("line", "note"),
    [
        (f"--packages {KINESIS}", f"{KINESIS} is built in: nothing to download"),
        ("--packages org.apache.spark:spark-streaming-kinesis-asl_2.13:4.3.0", "_2.13:4.3.0 is built in"),
        (f"--conf spark.jars.packages={KINESIS}", "is built in"),
        ("--jars lib/spark-streaming-kinesis-asl-assembly_2.11-2.2.0.jar", "assembly_2.11-2.2.0.jar is built in"),
        ("--files a,b", "--files has no effect"),
        ("--deploy-mode client", None),
        ("--master local[2,4]", None),
    ],
)
def test_what_is_served(program: str, line: str, note: str | None) -> None:
    notes = check(parse([*line.split(), program]))
    assert len(notes) == (note is not None)
    assert all((note or "") in each for each in notes)


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("--packages a.b", "must be in the form 'groupId:artifactId:version'. The coordinate provided is: a.b"),
        (f"--packages {KINESIS},org.example:other:1.0", "package org.example:other:1.0 cannot be served"),
        ("--packages org.example:spark-streaming-kinesis-asl_2.11:1", "cannot be served"),
        ("--jars other.jar", "jar other.jar cannot be served"),
        ("--master mesos://host", "master 'mesos://host' cannot be served"),
        ("--master local[0]", "use local, local"),
        ("--master local-cluster[1,1]", "cannot be served"),
        ("--deploy-mode cluster", "deploy mode 'cluster' cannot be served"),
        ("--class Main", "only Python programs"),
        ("--remote sc://host", "--remote cannot be served"),
    ],
)
def test_what_is_refused(program: str, line: str, error: str) -> None:
    with pytest.raises(SubmitError, match=error):
        check(parse([*line.split(), program]))


def test_a_program_that_is_not_there() -> None:
    submission = Submission()
    submission.program = "nowhere.py"
    with pytest.raises(SubmitError, match=r"no such program: nowhere\.py"):
        check(submission)
