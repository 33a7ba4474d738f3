"""The streaming examples, each as a process of its own, by what they print."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conftest import MILLSTREAM, ROOT, environment, wait_until

EXAMPLES = ROOT / "examples" / "streaming"


class Start:
    """Starts examples, which print into one file."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.running: list[subprocess.Popen[bytes]] = []

    def __call__(self, name: str, *arguments: str) -> Callable[[], str]:
        """Starts an example; what it has printed so far."""
        command = [str(MILLSTREAM), "submit", str(EXAMPLES / name), *arguments]
        with self.out.open("wb") as file:
            self.running.append(subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=environment()))
        return self.out.read_text

    def kill(self) -> None:
        """Kills the last one started."""
        self.running[-1].kill()
        self.running.pop().wait()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    start = Start(tmp_path / "out")
    yield start
    for process in start.running:
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


def test_words_counted_since_the_start(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        printed = start("stateful_wordcount.py", "127.0.0.1", str(server.getsockname()[1]))
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"to be or not\n")
            wait_until("the words are counted", lambda: "('not', 1)\n" in printed(), 20)
            connection.sendall(b"to be\n")
            wait_until("they are added up", lambda: "('to', 3)\n" in printed(), 20)
    assert "('to', 2)\n" in printed() and "('be', 3)\n" in printed()
    assert printed().count("('or', 1)\n") >= 2, "words without a new count stay"


def test_words_counted_over_a_kill(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "counts"
    lines = lambda: file.read_text() if file.exists() else ""  # noqa: E731
    with socket.create_server(("127.0.0.1", 0)) as server:
        arguments = "127.0.0.1", str(server.getsockname()[1]), str(tmp_path / "checkpoint"), str(file)
        printed = start("recoverable_wordcount.py", *arguments)
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"the mill by a stream\n")
            wait_until("the words are counted", lambda: "[('by', 1), ('mill', 1), ('stream', 1)]" in lines(), 20)
            assert "3 words counted, 2 left out" in printed()
            # Saved is what the batch behind says nothing new of.
            wait_until("the next batch runs", lambda: lines().count("\n") >= 2, 20)
            start.kill()
        printed = start("recoverable_wordcount.py", *arguments)
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"mill stream\n")
            wait_until("the counts go on", lambda: "[('by', 1), ('mill', 2), ('stream', 2)]" in lines(), 20)
    assert "A context is made" in printed(), "setup runs in each run"


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


def test_sessions_of_words(start: Start, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        printed = start("sessions.py", "127.0.0.1", port, str(tmp_path / "checkpoint"), "2")
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"to be or to\n")
            wait_until("words are silent", lambda: "or: silent after 1\n" in printed(), 20)
            connection.sendall(b"to\n")
            wait_until("a word comes again", lambda: printed().count("to: first heard\n") == 2, 20)
    assert "('to', 2)\n" in printed(), "of the snapshot"
    assert "to: silent after 2\n" in printed() and printed().count("be: first heard\n") == 1


def test_a_receiver_of_ones_own(start: Start) -> None:
    printed = start("custom_receiver.py", "echo", "to be")
    wait_until("the line is counted", lambda: "('to be', 1)\n" in printed(), 20)
    wait_until("and once more", lambda: printed().count("('to be', 1)\n") == 2, 20)
    assert "receiver 0 (CommandReceiver): the command has ended; starting again in 2 s" in printed()


def test_a_queue_of_rdds() -> None:
    command = [str(MILLSTREAM), "submit", str(EXAMPLES / "queue_of_rdds.py")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert [done.stdout.count(f"({number}, 100)\n") for number in range(10)] == [3] * 10
