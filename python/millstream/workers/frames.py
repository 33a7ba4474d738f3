"""Messages between the main process and a worker: a kind, a length, and that many bytes."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    import socket

HEADER = struct.Struct("<BQ")

#: To a worker: a pickled `Order`. A `PART` with the lineage and the function follows, then the inputs.
TASK: Final = 1
#: Bytes of either direction that belong to the task.
PART: Final = 2
#: To a worker: the end of one input, which is any number of `PART`s.
END: Final = 3
#: From a worker: the task is done; pickled sums of accumulators.
DONE: Final = 4
#: From a worker: the task failed; a pickled `Failure`.
FAILED: Final = 5


class Order(NamedTuple):
    """What a task is, apart from its lineage and its inputs."""

    partition: int
    #: The inputs in the order in which they come: (number of the leaf, partition of the leaf).
    inputs: list[tuple[int, int]]
    #: The main process's ``sys.path``, and whether ``pyspark`` means Millstream there.
    path: list[str]
    provides_pyspark: bool


class Failure(NamedTuple):
    """Why a task failed: the traceback as text, and the exception if it can be pickled."""

    text: str
    error: BaseException | None


class Channel:
    """A worker's end of the socket, which blocks."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self) -> tuple[int, bytearray]:
        """The next message; EOFError when the main process has closed the socket, or is gone."""
        kind, size = HEADER.unpack(self._exactly(HEADER.size))
        return kind, self._exactly(size)

    def _exactly(self, size: int) -> bytearray:
        data = bytearray(size)
        view = memoryview(data)
        while view:
            received = os.readv(self._descriptor, [view])
            if not received:
                raise EOFError
            view = view[received:]
        return data

    def write(self, kind: int, payload: bytes) -> None:
        """Sends a message."""
        buffers = [memoryview(HEADER.pack(kind, len(payload))), memoryview(payload)]
        while buffers:
            sent = os.writev(self._descriptor, buffers)
            while buffers and sent >= len(buffers[0]):
                sent -= len(buffers.pop(0))
            if sent:
                buffers[0] = buffers[0][sent:]


class Parser:
    """Cuts what a worker sends into messages, as it comes."""

    def __init__(self) -> None:
        self._header = bytearray()
        self._kind = 0
        self._body = bytearray()
        self._missing = 0

    def feed(self, connection: socket.socket) -> tuple[int, bytearray] | None:
        """Receives once, without waiting; a message if it is complete. EOFError at the end of the stream."""
        if len(self._header) < HEADER.size:
            received = connection.recv(HEADER.size - len(self._header))
            if not received:
                raise EOFError
            self._header += received
            if len(self._header) < HEADER.size:
                return None
            self._kind, self._missing = HEADER.unpack(self._header)
            self._body = bytearray(self._missing)
        if self._missing:
            view = memoryview(self._body)[len(self._body) - self._missing :]
            try:
                count = connection.recv_into(view)
            except BlockingIOError:
                return None
            if not count:
                raise EOFError
            self._missing -= count
        if self._missing:
            return None
        message = self._kind, self._body
        self._header.clear()
        self._body = bytearray()
        return message
