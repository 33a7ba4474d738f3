"""Spark's own streaming examples, unchanged, from an installed PySpark (`make bench` installs one), by their printouts.

Nothing of them is kept here: without a PySpark these tests are skipped, and those of our own examples stay.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conftest import MILLSTREAM, ROOT, environment, wait_until

INSTALLED = next(iter(ROOT.glob("bench/.venv/lib/python3*/site-packages/pyspark")), None)
PYSPARK = Path(os.environ.get("MILLSTREAM_PYSPARK", INSTALLED or ""))
EXAMPLES = PYSPARK / "examples" / "src" / "main" / "python" / "streaming"

pytestmark = pytest.mark.skipif(not (EXAMPLES / "network_wordcount.py").exists(), reason="PySpark is not installed")


class Example:
    """A running example and what it has printed."""

    def __init__(self, out: Path, name: str, *arguments: str) -> None:
        self.out = out
        command = [str(MILLSTREAM), "submit", str(EXAMPLES / name), *arguments]
        with out.open("wb") as file:
            self.process = subprocess.Popen(
                command, stdout=file, stderr=subprocess.STDOUT, env=environment(), cwd=out.parent
            )

    def wait_for(self, text: str) -> str:
        wait_until(f"it prints {text!r}", lambda: text in self.out.read_text(), 30)
        return self.out.read_text()


@contextmanager
def fed(path: Path, name: str, lines: bytes, *arguments: str) -> Iterator[tuple[Example, socket.socket]]:
    """An example that reads lines from a socket."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        example = Example(path, name, "127.0.0.1", str(server.getsockname()[1]), *arguments)
        try:
            connection, _ = server.accept()
            with connection:
                connection.sendall(lines)
                yield example, connection
        finally:
            example.process.terminate()
            example.process.wait(timeout=20)


def assert_batch(printed: str, *elements: str) -> None:
    """One batch is printed with these elements, in any order."""
    rule = "-" * 43
    batches = re.findall(rf"{rule}\nTime: [-0-9]+ [:.0-9]+\n{rule}\n((?:.+\n)*)\n", printed)
    assert sorted(elements) in [sorted(batch.splitlines()) for batch in batches], printed


def test_network_wordcount(tmp_path: Path) -> None:
    with fed(tmp_path / "out", "network_wordcount.py", b"to be or not to be\n") as (example, _):
        example.wait_for("('not', 1)")
        wait_until("the batch is done", lambda: example.out.read_text().endswith("\n\n"), 10)
        assert_batch(example.out.read_text(), "('to', 2)", "('be', 2)", "('or', 1)", "('not', 1)")


def test_stateful_network_wordcount(tmp_path: Path) -> None:
    with fed(tmp_path / "out", "stateful_network_wordcount.py", b"hello mill\n") as (example, connection):
        example.wait_for("('mill', 1)")
        connection.sendall(b"mill\n")
        printed = example.wait_for("('mill', 2)")
    assert "('hello', 2)" in printed and "('world', 1)" in printed, "it begins with hello and world"


def test_recoverable_network_wordcount(tmp_path: Path) -> None:
    counts, checkpoint = tmp_path / "counts", tmp_path / "checkpoint"
    arguments = "recoverable_network_wordcount.py", b"a mill by a stream\n", str(checkpoint), str(counts)
    for _ in range(2):
        with fed(tmp_path / "out", *arguments) as (example, _):
            printed = example.wait_for("Dropped 2 word(s) totally")
            assert "Creating new context" in printed
            example.wait_for(f"Appending to {counts}")
    # Each run calls the function that makes the context, which here removes the file first.
    assert counts.read_text().count("('mill', 1)") == 1


def test_network_wordjoinsentiments(tmp_path: Path) -> None:
    # PySpark's own file has tabs, where the example splits at spaces.
    (tmp_path / "data" / "streaming").mkdir(parents=True)
    (tmp_path / "data" / "streaming" / "AFINN-111.txt").write_text("good 3\nbad -3\nsuperb 5\nsunny 2\n")
    with fed(tmp_path / "out", "network_wordjoinsentiments.py", b"good bad superb good\n") as (example, _):
        printed = example.wait_for("bad (-3 happiness)")
    told = printed[printed.index("Happiest topics in the last 5 seconds (3 total):") :].splitlines()
    assert told[1:] == ["good (6 happiness)", "superb (5 happiness)", "bad (-3 happiness)"]


def test_sql_network_wordcount(tmp_path: Path) -> None:
    pytest.importorskip("sqlframe")
    with fed(tmp_path / "out", "sql_network_wordcount.py", b"to be or not to be\n") as (example, _):
        example.wait_for(" not ")
        wait_until("the table is done", lambda: example.out.read_text().count("+------+") == 3, 10)
        printed = example.out.read_text()
    assert re.search(r"^========= [-0-9]+ [:.0-9]+ =========$", printed, re.MULTILINE)
    rows = {tuple(line.split()[1::2]) for line in printed.splitlines() if line.startswith("|")}
    assert rows == {("word", "total"), ("to", "2"), ("be", "2"), ("or", "1"), ("not", "1")}


def test_hdfs_wordcount(tmp_path: Path) -> None:
    directory = tmp_path / "in"
    directory.mkdir()
    example = Example(tmp_path / "out", "hdfs_wordcount.py", str(directory))
    try:
        example.wait_for("Time: ")
        (tmp_path / "new").write_text("to be\nto")
        (tmp_path / "new").rename(directory / "new")
        example.wait_for("('be', 1)")
        wait_until("the batch is done", lambda: example.out.read_text().endswith("\n\n"), 10)
        assert_batch(example.out.read_text(), "('to', 2)", "('be', 1)")
    finally:
        example.process.terminate()
        example.process.wait(timeout=20)


def test_queue_stream(tmp_path: Path) -> None:
    example = Example(tmp_path / "out", "queue_stream.py")
    assert example.process.wait(timeout=60) == 0
    printed = example.out.read_text()
    assert [printed.count(f"({number}, 100)\n") for number in range(10)] == [5] * 10
