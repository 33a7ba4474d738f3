"""What of a submission can be served by one process without a JVM."""

from __future__ import annotations

import os

from millstream.errors import IllegalArgumentException
from millstream.master import parse as parse_master
from millstream.submit.arguments import Submission, SubmitError

_GROUP = "org.apache.spark"
_KINESIS = ("spark-streaming-kinesis-asl", "spark-streaming-kinesis-asl-assembly")


def check(submission: Submission) -> list[str]:
    """Refuses with `SubmitError` what cannot be served; returns notes on what needs nothing done."""
    settings = submission.settings()
    try:
        parse_master(settings["spark.master"])
    except IllegalArgumentException as error:
        raise SubmitError(str(error)) from error
    if submission.options.get("deploy_mode", "client") != "client":
        raise SubmitError("deploy mode 'cluster' cannot be served: the program runs in this process, use client")
    if "remote" in submission.options:
        raise SubmitError("--remote cannot be served: there is no Spark Connect here, use --master local[N]")
    if "main_class" in submission.options or submission.program.endswith((".jar", ".R", ".r")):
        raise SubmitError("only Python programs can be run: name a .py file")
    if not os.path.isfile(submission.program):
        raise SubmitError(f"no such program: {submission.program}")
    notes = [_package(name) for name in submission.listed("packages", "spark.jars.packages")]
    notes += [_jar(path) for path in submission.listed("jars", "spark.jars")]
    if "files" in submission.options:
        notes.append("--files has no effect: the program reads the files where they are")
    return notes


def _package(coordinate: str) -> str:
    group, _, rest = coordinate.partition(":")
    artifact, _, version = rest.partition(":")
    if not (group and artifact and version):
        raise SubmitError(
            f"Provided Maven Coordinates must be in the form 'groupId:artifactId:version'. "
            f"The coordinate provided is: {coordinate}"
        )
    if group != _GROUP or artifact.partition("_")[0] not in _KINESIS:
        raise SubmitError(
            f"package {coordinate} cannot be served: it needs a JVM, and only the Kinesis package is built in"
        )
    return f"{coordinate} is built in: nothing to download"


def _jar(path: str) -> str:
    name = os.path.basename(path)
    if not name.startswith(_KINESIS):
        raise SubmitError(f"jar {path} cannot be served: it needs a JVM, and only the Kinesis package is built in")
    return f"{name} is built in: the jar is not read"
