"""A receiver of the lines that a server on a TCP port sends."""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Thread

from millstream.errors import IllegalStateException
from millstream.streaming.receiver import Receiver

#: Seconds that a connection may take.
CONNECT_S = 10.0


class SocketReceiver(Receiver[str]):
    """Lines are in UTF-8. When the connection ends, or can't be made, it is made again."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__()
        self._address = host, port
        self._connection: socket.socket | None = None
        self._reader: Thread | None = None

    def onStart(self) -> None:
        """Begins to connect and read."""
        self._reader = Thread(target=self._read, name="millstream-socket", daemon=True)
        self._reader.start()

    def onStop(self) -> None:
        """Ends the connection and stores what has come. A try to connect, which takes a while, ends by itself."""
        connection, reader = self._connection, self._reader
        if connection is not None and reader is not None:
            # Wakes the reader. The server may have ended the connection in the same moment.
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            reader.join()

    def _read(self) -> None:
        host, port = self._address
        try:
            with socket.create_connection(self._address, timeout=CONNECT_S) as connection:
                connection.settimeout(None)
                self._connection = connection
                if self.isStopped():
                    return
                with connection.makefile(encoding="utf-8", errors="replace") as lines:
                    self.storeAll(line.removesuffix("\n") for line in lines)
            self.restart(f"{host}:{port}: the connection has ended")
        except IllegalStateException:
            # Stopped while a line waited for room.
            return
        except OSError as error:
            self.restart(f"{host}:{port}", error)
        finally:
            self._connection = None
