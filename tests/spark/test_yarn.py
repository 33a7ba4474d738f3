"""Hadoop's YARN, in a cluster of one machine: the containers have no more of us than what goes along (needs Maven)."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cluster import SPARK_HOME
from packed import PYTHON, pack
from structured import Program, assert_reads_what_is_put, options

from tests.conftest import CREDENTIALS, REGION, ROOT, Feed, Service, wait_until

if TYPE_CHECKING:
    from applications import Applications

YARN = Path(__file__).parent / "yarn"
#: Hadoop looks into classes of the JDK.
OPENED = [f"--add-opens=java.base/java.{package}=ALL-UNNAMED" for package in ("lang", "util", "util.concurrent")]
EXPORTED = [f"--add-exports=java.base/sun.net.{package}=ALL-UNNAMED" for package in ("dns", "util")]


@pytest.fixture(scope="module")
def yarn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A running cluster: the directory for HADOOP_CONF_DIR."""
    java, maven = shutil.which("java"), shutil.which("mvn")
    if not (java and maven):
        pytest.skip("needs Maven: apt-get install maven")
    directory = tmp_path_factory.mktemp("yarn")
    (directory / "conf").mkdir()
    paths = directory / "classpath"
    jars = [maven, "--quiet", "--file", str(YARN / "pom.xml"), "dependency:build-classpath"]
    subprocess.run([*jars, f"-Dmdep.outputFile={paths}"], check=True)
    command = [java, *OPENED, *EXPORTED, "-Xmx512m", "-cp", paths.read_text(), str(YARN / "Yarn.java")]
    home = str(Path(java).resolve().parent.parent)
    with (directory / "log").open("wb") as log:
        cluster = subprocess.Popen(
            [*command, str(directory / "conf"), str(directory)],
            cwd=directory,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env={**os.environ, "JAVA_HOME": home},
        )
    said = (directory / "log").read_text
    try:
        wait_until("YARN is there", lambda: "\nready\n" in said() or cluster.poll() is not None, 120)
        assert cluster.poll() is None, said()[-4000:]
        yield directory / "conf"
    finally:
        cluster.communicate(timeout=60)


@pytest.fixture
def settings(yarn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What a program is given there: its environment goes along, and Spark's jars are where it is."""
    monkeypatch.setenv("HADOOP_CONF_DIR", str(yarn))
    return {
        "spark.archives": f"{pack(tmp_path, 'pyarrow', 'cloudpickle')}#environment",
        "spark.pyspark.python": PYTHON,
        "spark.yarn.jars": f"local:{SPARK_HOME}/jars/*",
        "spark.yarn.am.memory": "256m",
        "spark.executor.instances": "2",
        # Containers have an environment of their own.
        **{f"spark.executorEnv.{name}": value for name, value in CREDENTIALS.items()},
    }


def test_the_decks_program_counts(
    applications: Applications, settings: dict[str, str], service: Service, app: str
) -> None:
    stream = service.stream(2)
    flags = tuple(f"--conf={name}={value}" for name, value in settings.items())
    program = ROOT / "examples" / "deck" / "kinesis_wordcount.py"
    arguments = (app, stream, service.endpoint, REGION)
    application = applications.run("yarn", program, *arguments, flags=flags, millstream__cluster__carriedKiB="0")
    service.client("kinesis").put_record(StreamName=stream, PartitionKey="a", Data=b"to be or not to be")
    wait_until("the words are counted", lambda: "('to', 2)" in application.said(), 180)


def test_structured_streaming_reads_what_was_put(settings: dict[str, str], service: Service, tmp_path: Path) -> None:
    stream = service.stream(2)
    program = Program("yarn", tmp_path / "program", options(service, stream, inlineBytes=0), **settings)
    assert_reads_what_is_put(program, Feed(service, stream, keys=10))
