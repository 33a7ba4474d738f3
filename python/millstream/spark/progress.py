"""How far a query is, for those who keep leases: the KCL and Millstream's consumers can go on behind it, and it behind
them."""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from millstream.kinesis_client import client_of
from millstream.spark.offsets import Offset
from millstream.spark.options import Options

if TYPE_CHECKING:
    from millstream._millstream import LeaseTable


class Progress:
    """The lease table of a query, if it has one. It lives on the driver, as `Ahead` does."""

    def __init__(self, options: Options, open_table: Callable[[], LeaseTable] | None = None) -> None:
        self._options = options
        self._open = open_table or self._connect
        self._table: LeaseTable | None = None
        self._last: dict[str, Any] | None = None
        self._ends = False

    def will_end(self) -> None:
        """The query ends by itself, after some batch that is not known yet. Spark kills the process of a source without
        a word, so that each batch is written before the next one begins, and no lease is held in between."""
        self._ends = True

    def begin(self, initial: str) -> Offset:
        """Where a query without a checkpoint begins: where the table's application ended; ``initial`` without one."""
        stream = self._options.stream
        if self._options.lease_table is None:
            return Offset(stream, initial)
        places, latest_since_ms = self._opened.places()
        shards = dict(places)
        if "LATEST" in shards.values():
            # The KCL does not write which moment that was.
            since_ms = latest_since_ms if latest_since_ms is not None else time.time_ns() // 1_000_000
            initial = f"LATEST {since_ms}"
        return Offset(stream, initial, shards)

    def processed(self, offset: dict[str, Any]) -> None:
        """All up to there is processed, and may be said."""
        if self._options.lease_table is None or offset == self._last:
            return
        self._last = offset
        self._opened.processed(list(Offset.of(offset, self._options.stream).shards.items()))
        if self._ends:
            self._opened.settle()

    def stop(self) -> None:
        """Says the rest, and gives the leases back."""
        if self._table is not None:
            self._table.release()
        self._table = self._last = None

    @property
    def _opened(self) -> LeaseTable:
        if self._table is None:
            self._table = self._open()
        return self._table

    def _connect(self) -> LeaseTable:
        from millstream._millstream import LeaseTable

        options = self._options
        assert options.lease_table is not None
        return LeaseTable(
            client_of(options.client),
            table=options.lease_table,
            stream=options.stream,
            worker=f"spark-{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}",
            failover_ms=options.failover_ms,
            dynamodb_endpoint=options.dynamodb_endpoint,
        )
