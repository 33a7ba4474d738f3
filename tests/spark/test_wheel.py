"""The ways of our wheel to the executors, and what is said where it is not there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packed import PYTHON, pack, wheel
from structured import Program, options

from tests.conftest import REGION, ROOT, Feed, Service, wait_until

if TYPE_CHECKING:
    from applications import Applications
    from cluster import Cluster

DECK = ROOT / "examples" / "deck" / "kinesis_wordcount.py"


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment without our wheel."""
    directory = tmp_path_factory.mktemp("environment") / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(directory)], check=True)
    return directory


def test_executors_without_our_wheel_are_told(
    applications: Applications, service: Service, app: str, bare: Path
) -> None:
    python = str(bare / "bin" / "python")
    arguments = (app, service.stream(1), service.endpoint, REGION)
    application = applications.submit(DECK, *arguments, pyspark__python=python)
    assert application.wait() == 1
    said = [line for line in application.said().splitlines() if line.startswith("millstream: ")]
    assert len(said) == 1
    assert "is not on all executors (" in said[0]
    assert f"{python}: No module named 'millstream'): install the wheel there" in said[0]
    assert service.leases(app) == {}, "nothing was begun"


#: Python runs it when it starts: millstream can't be imported.
WITHOUT_MILLSTREAM = """
import importlib.abc, sys
class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] == "millstream":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
"""


def test_a_query_whose_executors_lack_our_wheel_ends_and_says_what_is_missing(
    cluster: Cluster, service: Service, tmp_path: Path
) -> None:
    stream, path = service.stream(1), tmp_path / "path"
    Feed(service, stream, keys=1).put(10)
    path.mkdir()
    (path / "sitecustomize.py").write_text(WITHOUT_MILLSTREAM)
    conf = {"spark.executorEnv.PYTHONPATH": str(path), "spark.task.maxFailures": "1"}
    program = Program(cluster.url, tmp_path / "program", options(service, stream, inlineBytes=0), **conf)
    try:
        assert program.process.wait(timeout=180) != 0
    finally:
        program.stop()
    assert "ModuleNotFoundError: No module named 'millstream'" in program.log.read_text()
    assert program.values() == [], "nothing was processed"


def counts(applications: Applications, service: Service, app: str, *flags: str, python: str) -> None:
    """The deck's program counts with the wheel that it is given."""
    stream = service.stream(2)
    arguments = (app, stream, service.endpoint, REGION)
    conf = {"pyspark__python": python, "millstream__cluster__carriedKiB": "0"}
    application = applications.submit(DECK, *arguments, flags=flags, **conf)
    service.client("kinesis").put_record(StreamName=stream, PartitionKey="a", Data=b"to be or not to be")
    wait_until("the words are counted", lambda: "('to', 2)" in application.said(), 180)


def test_the_wheel_goes_with_the_program(applications: Applications, service: Service, app: str, bare: Path) -> None:
    counts(applications, service, app, "--py-files", str(wheel()), python=str(bare / "bin" / "python"))


def test_the_wheel_is_in_a_packed_environment(
    applications: Applications, service: Service, app: str, tmp_path: Path
) -> None:
    counts(applications, service, app, f"--archives={pack(tmp_path)}#environment", python=PYTHON)
