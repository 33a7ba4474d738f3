"""What of a submission can be served: by one process without a JVM, or by a cluster of Apache Spark."""

from __future__ import annotations

import os

from millstream.errors import IllegalArgumentException
from millstream.master import is_cluster
from millstream.master import parse as parse_master
from millstream.submit.arguments import Submission, SubmitError

_GROUP = "org.apache.spark"
_KINESIS = ("spark-streaming-kinesis-asl", "spark-streaming-kinesis-asl-assembly")


def check(submission: Submission) -> list[str]:
    """Refuses with `SubmitError` what cannot be served; returns notes on what needs nothing done."""
    if submission.options.get("deploy_mode", "client") != "client":
        raise SubmitError("deploy mode 'cluster' cannot be served: the program runs in this process, use client")
    if "remote" in submission.options:
        raise SubmitError("--remote cannot be served: streams need RDDs, which Spark Connect lacks; use --master")
    if "main_class" in submission.options or submission.program.endswith((".jar", ".R", ".r")):
        raise SubmitError("only Python programs can be run: name a .py file")
    if not os.path.isfile(submission.program):
        raise SubmitError(f"no such program: {submission.program}")
    if is_cluster(submission.settings()["spark.master"]):
        from millstream.submit.cluster import check as check_cluster

        return check_cluster(submission)
    return _check_local(submission)


def is_built_in_package(coordinate: str) -> bool:
    """Whether it is Spark's Kinesis connector."""
    group, _, rest = coordinate.partition(":")
    return group == _GROUP and rest.partition(":")[0].partition("_")[0] in _KINESIS


def is_built_in_jar(path: str) -> bool:
    """Whether it is Spark's Kinesis connector."""
    return os.path.basename(path).startswith(_KINESIS)


def _check_local(submission: Submission) -> list[str]:
    try:
        parse_master(submission.settings()["spark.master"])
    except IllegalArgumentException as error:
        raise SubmitError(str(error)) from error
    idle = [word for word in submission.of_spark if word.startswith("--")]
    idle += ["--archives"] if "archives" in submission.options else []
    notes = [f"{flag} has no effect: the program runs in one process on this machine" for flag in idle]
    notes += [_package(name) for name in submission.listed("packages", "spark.jars.packages")]
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
    if not is_built_in_package(coordinate):
        raise SubmitError(
            f"package {coordinate} cannot be served: it needs a JVM, and only the Kinesis package is built in"
        )
    return f"{coordinate} is built in: nothing to download"


def _jar(path: str) -> str:
    name = os.path.basename(path)
    if not is_built_in_jar(path):
        raise SubmitError(f"jar {path} cannot be served: it needs a JVM, and only the Kinesis package is built in")
    return f"{name} is built in: the jar is not read"
