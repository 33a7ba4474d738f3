"""Submissions to a cluster of Apache Spark: what its own ``spark-submit`` is given when the program makes a context."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version

from millstream.submit.arguments import Submission, SubmitError
from millstream.submit.served import is_built_in_jar, is_built_in_package

#: Settings that are given as flags.
_AS_FLAGS = (
    "spark.master",
    "spark.app.name",
    "spark.archives",
    "spark.files",
    "spark.jars",
    "spark.jars.packages",
    "spark.submit.pyFiles",
)
#: The oldest release of Java that Spark 4 runs on.
_JAVA = 17


def check(submission: Submission) -> list[str]:
    """Refuses with `SubmitError` where there is no Java or no PySpark; returns notes on what needs nothing done."""
    _check_pyspark()
    _check_java()
    packages = submission.listed("packages", "spark.jars.packages")
    jars = submission.listed("jars", "spark.jars")
    notes = [f"{name} is built in: nothing to download" for name in packages if is_built_in_package(name)]
    return notes + [f"{name} is built in: the jar is not read" for name in jars if is_built_in_jar(name)]


def prepare(submission: Submission) -> None:
    """Sets the environment from which PySpark starts its JVM and tells executors which Python to run."""
    settings = submission.settings()
    os.environ["PYSPARK_SUBMIT_ARGS"] = shlex.join(submit_arguments(submission))
    if python := settings.get("spark.pyspark.python"):
        os.environ["PYSPARK_PYTHON"] = python
    elif settings["spark.master"].startswith(("spark:", "local-cluster")):
        # The `python3` of an executor's own path need not be of this release, which it has to be.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)


def submit_arguments(submission: Submission) -> list[str]:
    """The words of ``spark-submit`` for a context that a Python program makes."""
    # A Python program's context is made by what Spark takes for a shell, which shows progress on the terminal.
    conf = {"spark.ui.showConsoleProgress": "false", **submission.properties, **submission.conf}
    for key in _AS_FLAGS:
        conf.pop(key, None)
    files = submission.listed("py_files", "spark.submit.pyFiles")
    archives = submission.listed("archives", "spark.archives")
    for number, wheel in enumerate(path for path in files if path.endswith(".whl")):
        # A zip on the import path can't hold native code, so that it is unpacked.
        archives.append(f"{_zipped(wheel)}#millstream-wheel-{number}")
        conf["spark.executorEnv.PYTHONPATH"] = os.pathsep.join(
            filter(None, [f"millstream-wheel-{number}", conf.get("spark.executorEnv.PYTHONPATH")])
        )
    lists = {
        "--py-files": [path for path in files if not path.endswith(".whl")],
        "--packages": [
            name for name in submission.listed("packages", "spark.jars.packages") if not is_built_in_package(name)
        ],
        "--jars": [path for path in submission.listed("jars", "spark.jars") if not is_built_in_jar(path)],
        "--files": submission.listed("files", "spark.files"),
        "--archives": archives,
    }
    settings = submission.settings()
    words = ["--master", settings["spark.master"], "--name", settings["spark.app.name"]]
    for key, value in conf.items():
        words += ["--conf", f"{key}={value}"]
    for flag, items in lists.items():
        if items:
            words += [flag, ",".join(items)]
    return [*words, *submission.of_spark, "pyspark-shell"]


def _zipped(wheel: str) -> str:
    """A copy of a wheel under a name by which Spark knows how to unpack it."""
    import atexit
    import tempfile

    if not os.path.isfile(wheel):
        raise SubmitError(f"no such file in --py-files: {wheel}")
    directory = tempfile.mkdtemp(prefix="millstream-wheel-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    name = os.path.basename(wheel).removesuffix(".whl") + ".zip"
    return shutil.copyfile(wheel, os.path.join(directory, name))


def _check_pyspark() -> None:
    from millstream.cluster.checks import check_release
    from millstream.errors import PySparkRuntimeError

    try:
        check_release(version("pyspark"))
    except PackageNotFoundError as error:
        raise SubmitError(
            "a cluster needs Apache Spark's own PySpark, which is not installed: pip install 'millstream[spark]'"
        ) from error
    except PySparkRuntimeError as error:
        raise SubmitError(str(error)) from error


def _check_java() -> None:
    import re
    import subprocess

    home = os.environ.get("JAVA_HOME")
    java = os.path.join(home, "bin", "java") if home else shutil.which("java")
    try:
        if java is None:
            raise FileNotFoundError
        said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60).stderr
    except OSError as error:
        where = f"JAVA_HOME is {home}" if home else "there is no java on the PATH"
        raise SubmitError(
            f"Apache Spark needs Java {_JAVA} or later, and {where}: install it, or set JAVA_HOME"
        ) from error
    # 1.8 means 8.
    found = re.search(r'version "(?:1\.)?(\d+)', said)
    if found is not None and int(found[1]) < _JAVA:
        raise SubmitError(f"Apache Spark needs Java {_JAVA} or later, and {java} is Java {found[1]}: set JAVA_HOME")
