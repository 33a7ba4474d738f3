"""Streams of sockets and of directories."""

from __future__ import annotations

import os
import queue
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from millstream import SparkConf, SparkContext
from millstream.errors import IllegalArgumentException, PySparkException
from millstream.streaming import DStream, StreamingContext
from millstream.streaming.datasets import OwnDatasets
from millstream.streaming.directory import DirectorySource

WAIT_S = 10


def collect(stream: DStream[Any]) -> queue.Queue[Any]:
    """Starts the stream's context; its elements, as they come."""
    elements: queue.Queue[Any] = queue.Queue()
    stream.foreachRDD(lambda rdd: [elements.put(element) for element in rdd.collect()])
    stream.context().start()
    return elements


def take(elements: queue.Queue[Any], count: int) -> list[Any]:
    return [elements.get(timeout=WAIT_S) for _ in range(count)]


def test_lines_of_a_socket(ssc: StreamingContext) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        elements = collect(ssc.socketTextStream("127.0.0.1", server.getsockname()[1]))
        connection, _ = server.accept()
        with connection:
            connection.sendall("to be\nor nöt\r\n\nto".encode())
            assert take(elements, 3) == ["to be", "or nöt", ""]
            connection.sendall(b" be\n")
            assert take(elements, 1) == ["to be"]


def test_a_socket_is_connected_again(ssc: StreamingContext, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        elements = collect(ssc.socketTextStream("127.0.0.1", port))
        for line in (b"first\n", b"second, without its end"):
            connection, _ = server.accept()
            connection.sendall(line)
            connection.close()
        assert take(elements, 2) == ["first", "second, without its end"]
    said = f"millstream: receiver 0 (SocketReceiver): 127.0.0.1:{port}: the connection has ended; starting again in 2 s"
    assert said in capfd.readouterr().err


def test_a_graceful_stop_processes_what_a_socket_gave(ssc: StreamingContext) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        elements = collect(ssc.socketTextStream("127.0.0.1", server.getsockname()[1]))
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"line\n" * 1000)
            assert take(elements, 1) == ["line"]
            ssc.stop(stopGraceFully=True)
            assert connection.recv(1) == b"", "the connection is closed"
        assert set(elements.queue) <= {"line"}


def test_a_server_that_is_not_there_ends_nothing(ssc: StreamingContext) -> None:
    seen: queue.Queue[int] = queue.Queue()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    ssc.socketTextStream("127.0.0.1", port).foreachRDD(lambda rdd: seen.put(rdd.count()))
    ssc.start()
    assert take(seen, 2) == [0, 0]


def move_in(directory: Path, name: str, data: bytes) -> None:
    """As programs should: written elsewhere, and moved."""
    outside = directory.parent / f"{name}.tmp"
    outside.write_bytes(data)
    outside.rename(directory / name)


def test_new_files_are_read_and_old_and_hidden_ones_are_not(ssc: StreamingContext, tmp_path: Path) -> None:
    directory = tmp_path / "in"
    directory.mkdir()
    move_in(directory, "old", b"old\n")
    os.utime(directory / "old", (1_600_000_000, 1_600_000_000))
    elements = collect(ssc.textFileStream(str(directory)))
    time.sleep(0.002)  # A file of the same millisecond as the start is one from before.
    move_in(directory, ".hidden", b"hidden\n")
    move_in(directory, "a", "to be\r\nor nöt".encode())
    assert take(elements, 2) == ["to be", "or nöt"]
    move_in(directory, "b", b"\xff\n")
    assert take(elements, 1) == ["�"]
    assert elements.empty()


def test_records_of_a_fixed_length(ssc: StreamingContext, tmp_path: Path) -> None:
    elements = collect(ssc.binaryRecordsStream(f"file:{tmp_path}/*", 3))
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    time.sleep(0.002)
    (tmp_path / "one" / "file").write_bytes(b"abcdef")
    assert take(elements, 2) == [b"abc", b"def"]
    (tmp_path / "two" / "torn").write_bytes(b"abcd")
    with pytest.raises(PySparkException, match=r"torn has 4 bytes, which is no multiple of the record length 3"):
        ssc.awaitTermination(WAIT_S)


def test_files_by_a_reader_and_a_filter(ssc: StreamingContext, tmp_path: Path) -> None:
    for name in ("old.csv", ".hidden.csv", "other.txt"):
        (tmp_path / name).write_text(name)
    os.utime(tmp_path / "old.csv", (time.time() - 10, time.time() - 10))
    (tmp_path / "ancient.csv").touch()
    os.utime(tmp_path / "ancient.csv", (1_600_000_000, 1_600_000_000))

    def read(path: str) -> list[tuple[str, str]]:
        with open(path) as file:
            return [(os.path.basename(path), file.read())]

    stream = ssc.fileStream(str(tmp_path), read, lambda path: path.endswith(".csv"), newFilesOnly=False)
    assert take(collect(stream), 2) == [(".hidden.csv", ".hidden.csv"), ("old.csv", "old.csv")]


def test_a_file_is_given_once_and_remembered_for_a_while(sc: SparkContext, tmp_path: Path) -> None:
    source = DirectorySource(OwnDatasets(sc), str(tmp_path), 1000, lambda path: [path])
    for name, seconds in [("a", 10.0), ("b", 10.5)]:
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (seconds, seconds))

    def names(time_ms: int) -> list[str]:
        return [os.path.basename(path) for path in source.cut(time_ms)[0].collect()]

    assert names(10_000) == ["a"]
    assert names(10_500) == ["b"], "a is known"
    os.utime(tmp_path / "b", (10.9, 10.9))
    assert names(11_000) == [], "b is known by its name"
    assert names(11_600) == ["b"], "as in Spark, a name that was forgotten is new again"
    assert names(12_800) == []


@pytest.mark.parametrize(("key", "value"), [("fileStream.minRememberDuration", "soon"), ("minRememberDuration", "0s")])
def test_a_time_to_remember_that_is_none(key: str, value: str) -> None:
    conf = SparkConf().set(f"spark.streaming.{key}", value)
    refused = pytest.raises(IllegalArgumentException, match=f"{key}={value} is not a time above 0")
    with SparkContext("local[1]", "tests", conf=conf) as sc, refused:
        StreamingContext(sc, 1).textFileStream("/tmp")
