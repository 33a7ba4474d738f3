"""The command line of ``submit``, as ``spark-submit`` reads its own."""

from __future__ import annotations

from collections.abc import Iterator

from millstream.submit.properties import read_properties


class SubmitError(Exception):
    """Arguments that cannot be served; the message says why and what to do."""


USAGE = """\
Usage: millstream submit [options] <python file> [app arguments]

Runs a PySpark program in this process: without a JVM, or with its batches on a cluster of Apache Spark.

  --master MASTER_URL       local, local[N] or local[*] (default: local[*]);
                            of a cluster: spark://HOST:PORT, local-cluster[N,C,M], yarn, k8s://URL
  --name NAME               a name of the program
  --conf, -c PROP=VALUE     a configuration property; may be given several times
  --properties-file FILE    a file of configuration properties
  --py-files PY_FILES       comma-separated .zip, .egg or .py files for the import path;
                            for a cluster also .whl files, such as Millstream's own
  --packages COORDINATES    comma-separated Maven coordinates; the Kinesis package is built in
  --files FILES             comma-separated files; they stay where they are
  --verbose, -v             print the configuration
  --version                 print the version
  --help, -h                print this text

Options that size or place a JVM (--driver-memory, --executor-cores, ...) go to Spark, and have no effect without it."""

#: Options with a value that Millstream uses.
_USED = {
    "--master": "master",
    "--name": "name",
    "--properties-file": "properties_file",
    "--py-files": "py_files",
    "--packages": "packages",
    "--files": "files",
    "--archives": "archives",
    "--jars": "jars",
    "--deploy-mode": "deploy_mode",
    "--class": "main_class",
    "--remote": "remote",
}
#: Options with a value that are Spark's alone.
_IDLE = frozenset(
    [
        "--driver-class-path",
        "--driver-cores",
        "--driver-java-options",
        "--driver-library-path",
        "--driver-memory",
        "--exclude-packages",
        "--executor-cores",
        "--executor-memory",
        "--keytab",
        "--num-executors",
        "--principal",
        "--proxy-user",
        "--queue",
        "--repositories",
        "--total-executor-cores",
    ]
)
_SWITCHES = {"--verbose": "verbose", "-v": "verbose", "--help": "help", "-h": "help", "--version": "version"}
_IDLE_SWITCHES = frozenset(["--supervise", "--load-spark-defaults"])


class Submission:
    """What was asked for."""

    def __init__(self) -> None:
        self.options: dict[str, str] = {}
        self.conf: dict[str, str] = {}
        self.properties: dict[str, str] = {}
        self.program = ""
        self.arguments: list[str] = []
        self.action = "run"
        self.verbose = False
        #: What only a cluster has a use for, in the words of spark-submit.
        self.of_spark: list[str] = []

    def settings(self) -> dict[str, str]:
        """The configuration: a flag goes over ``--conf``, which goes over the properties file."""
        merged = {**self.properties, **self.conf}
        for option, key in [("master", "spark.master"), ("name", "spark.app.name")]:
            if option in self.options:
                merged[key] = self.options[option]
        merged.setdefault("spark.master", "local[*]")
        merged.setdefault("spark.app.name", self.program.rpartition("/")[2])
        return merged

    def listed(self, option: str, key: str) -> list[str]:
        """The items of a comma-separated option, or of the configuration ``key`` that stands for it."""
        text = self.options.get(option) or self.settings().get(key, "")
        return [item.strip() for item in text.split(",") if item.strip()]


def parse(argv: list[str]) -> Submission:
    """Reads the command line. Everything after the program belongs to the program."""
    submission = Submission()
    rest = iter(argv)
    for word in rest:
        if not word.startswith("-"):
            submission.program = word
            submission.arguments = list(rest)
            break
        _option(submission, word, rest)
        if submission.action != "run":
            return submission
    if not submission.program:
        raise SubmitError("Missing application resource: name the Python file to run, see millstream submit --help")
    if "properties_file" in submission.options:
        path = submission.options["properties_file"]
        try:
            submission.properties = read_properties(path)
        except (OSError, ValueError) as error:
            raise SubmitError(f"Invalid properties file '{path}': {error}") from error
    return submission


def _option(submission: Submission, word: str, rest: Iterator[str]) -> None:
    flag, equals, attached = word.partition("=")
    switch = _SWITCHES.get(word)
    if switch == "verbose":
        submission.verbose = True
    elif switch is not None:
        submission.action = switch
    elif word in _IDLE_SWITCHES:
        submission.of_spark.append(word)
    elif flag in ("--conf", "-c") or flag in _USED or flag in _IDLE:
        value = attached if equals else next(rest, None)
        if value is None:
            raise SubmitError(f"Missing argument for option '{flag}'.")
        _take(submission, flag, value)
    else:
        raise SubmitError(f"Unrecognized option: {word}, see millstream submit --help")


def _take(submission: Submission, flag: str, value: str) -> None:
    if flag in _IDLE:
        submission.of_spark += [flag, value]
    elif flag in _USED:
        submission.options[_USED[flag]] = value
    else:
        key, equals, setting = value.partition("=")
        if not equals or not key.strip():
            raise SubmitError(f"Invalid argument to {flag}: {value}, expected PROP=VALUE")
        submission.conf[key.strip()] = setting
