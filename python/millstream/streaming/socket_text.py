"""A stream of the lines that a server on a TCP port sends."""

from __future__ import annotations

import socket
import sys
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from millstream.streaming.source import Source

if TYPE_CHECKING:
    from millstream.context import SparkContext
    from millstream.rdd import RDD

#: Bytes of text that wait for a batch; the reader waits beyond.
MOST_BYTES = 64 * 1024 * 1024
#: Seconds from the end of a connection to the next try (Spark's `spark.streaming.receiverRestartDelay`).
RESTART_S = 2.0


class SocketSource(Source):
    """Gives each batch the lines that have come since the last one.

    A thread reads. When the connection ends, or can't be made, it tells so on standard error and connects again.
    """

    def __init__(self, sc: SparkContext, host: str, port: int) -> None:
        self._sc = sc
        self._address = host, port
        self._reader = threading.Thread(target=self._read, name="millstream-socket", daemon=True)
        #: Guards what follows, which the reader adds to and the engine takes.
        self._changed = threading.Condition()
        self._lines: deque[str] = deque()
        self._bytes = 0
        self._stopped = False
        self._connection: socket.socket | None = None

    def start(self) -> None:
        """Begins to read."""
        self._reader.start()

    def cut(self, time_ms: int) -> tuple[RDD[str], int]:
        """All lines that wait."""
        with self._changed:
            lines, self._lines, self._bytes = list(self._lines), deque(), 0
            self._changed.notify()
        return self._sc.parallelize(lines), len(lines)

    def drain(self) -> None:
        """Reads no more; what waits is still cut."""
        self._stop()

    def is_drained(self) -> bool:
        """Whether all lines that came have been cut."""
        with self._changed:
            return self._connection is None and not self._lines

    def stop(self, graceful: bool) -> None:
        """Ends the connection. The reader ends by itself, also from a try to connect, which takes a while."""
        self._stop()

    def _stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify()
            if self._connection is not None:
                # Wakes the reader. The server may have ended the connection in the same moment.
                with suppress(OSError):
                    self._connection.shutdown(socket.SHUT_RDWR)

    def _read(self) -> None:
        host, port = self._address
        while not self._stopped:
            try:
                with socket.create_connection(self._address, timeout=10) as connection:
                    self._receive(connection)
                reason = "the connection has ended"
            except OSError as error:
                reason = str(error)
            with self._changed:
                if not self._stopped:
                    print(f"millstream: {host}:{port}: {reason}; connecting again in {RESTART_S:g} s", file=sys.stderr)
                    self._changed.wait_for(lambda: self._stopped, RESTART_S)

    def _receive(self, connection: socket.socket) -> None:
        connection.settimeout(None)
        with self._changed:
            if self._stopped:
                return
            self._connection = connection
        try:
            with connection.makefile(encoding="utf-8", errors="replace") as lines:
                for line in lines:
                    self._add(line.removesuffix("\n"))
        finally:
            with self._changed:
                self._connection = None

    def _add(self, line: str) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._bytes < MOST_BYTES)
            self._lines.append(line)
            self._bytes += len(line) + 1
