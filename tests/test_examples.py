"""The streaming examples, each as a process of its own, by what they print."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conftest import MILLSTREAM, ROOT, environment, wait_until

EXAMPLES = ROOT / "examples" / "streaming"
Start = Callable[..., Callable[[], str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts an example; what it has printed so far."""
    running: list[subprocess.Popen[bytes]] = []
    out = tmp_path / "out"

    def begin(name: str, *arguments: str) -> Callable[[], str]:
        command = [str(MILLSTREAM), "submit", str(EXAMPLES / name), *arguments]
        with out.open("wb") as file:
            running.append(subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=environment()))
        return out.read_text

    yield begin
    for process in running:
        process.terminate()
        process.wait(timeout=20)


def test_words_of_a_socket(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        printed = start("socket_wordcount.py", "127.0.0.1", str(server.getsockname()[1]))
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"to be or not to be\n")
            wait_until("the words are counted", lambda: "('not', 1)\n" in printed(), 20)
    lines = printed().splitlines()
    rule = "-" * 43
    at = lines.index("('to', 2)")
    assert set(lines[at : at + 4]) == {"('to', 2)", "('be', 2)", "('or', 1)", "('not', 1)"}
    assert [lines[at - 3], lines[at - 2].split()[0], lines[at - 1], lines[at + 4]] == [rule, "Time:", rule, ""]


def test_words_of_a_directory_in_a_window(start: Start, tmp_path: Path) -> None:
    directory = tmp_path / "in"
    directory.mkdir()
    printed = start("directory_wordcount.py", str(directory), "3", "1")
    wait_until("the program runs", lambda: "Time: " in printed(), 20)
    (tmp_path / "new").write_text("to be\nto")
    (tmp_path / "new").rename(directory / "new")
    wait_until("the words are in three windows", lambda: printed().count("('be', 1)") == 3, 20)
    wait_until("the window is empty", lambda: printed().rstrip("\n").endswith("-" * 43), 20)
    assert (printed().count("('to', 2)"), printed().count("('be', 1)")) == (3, 3), "and in no fourth"


def test_a_stream_joined_with_a_file(start: Start, tmp_path: Path) -> None:
    (tmp_path / "words").write_text("good 3\nbad -3\nsunny 2\nunheard 9\n")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        printed = start("happiest_words.py", "127.0.0.1", port, str(tmp_path / "words"))
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"bad sunny good sunny day\n")
            wait_until("the happiest are told", lambda: "The happiest of 3 words:\n" in printed(), 20)
            wait_until("all three are told", lambda: "bad (-3)" in printed(), 20)
    assert "The happiest of 3 words:\nsunny (4)\ngood (3)\nbad (-3)\n" in printed()


def test_a_queue_of_rdds() -> None:
    command = [str(MILLSTREAM), "submit", str(EXAMPLES / "queue_of_rdds.py")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert [done.stdout.count(f"({number}, 100)\n") for number in range(10)] == [3] * 10
