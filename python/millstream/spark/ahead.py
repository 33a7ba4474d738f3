"""What the driver reads ahead: which ranges the next batch is made of, and where it ends."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from millstream.kinesis_client import Range, client_of
from millstream.spark.offsets import Offset
from millstream.spark.options import Options

if TYPE_CHECKING:
    from millstream._millstream import Block, Prefetcher

_log = logging.getLogger(__name__)
#: A batch takes more for so long while data come as fast as they are taken.
_GATHER_MS = 500
_WAIT_MS = 1_000
_SAY_EVERY_S = 30


class LostShards(Exception):
    """Shards of an offset are not in the stream any more, and were not read to their end."""


class Ahead:
    """Reads a stream ahead of a query, from the offset on that the query asks from.

    It lives on the driver, in the process that Spark starts for a source, for as long as the query runs.
    """

    def __init__(self, options: Options, prefetcher: Callable[[Offset], Prefetcher] | None = None) -> None:
        self._options = options
        self._make = prefetcher or self._start
        self._prefetcher: Prefetcher | None = None
        self._at: dict[str, Any] | None = None
        self._until_ms: int | None = None
        self._kept: tuple[dict[str, Any], list[Block]] | None = None
        self._lag: dict[str, Any] | None = None

    def stop_at(self, until_ms: int | None) -> None:
        """Takes only what has arrived until then, in milliseconds since the epoch; with none, what comes, once more."""
        if until_ms is None:
            self.stop()
        elif self._prefetcher is not None:
            self._prefetcher.stop_at(until_ms)
        self._until_ms = until_ms

    def take(self, start: dict[str, Any], max_records: int | None, max_bytes: int | None) -> dict[str, Any]:
        """The end of the next batch; ``start`` itself where there is nothing to read.

        With a time to stop at, this waits until there is something, or until it is certain that there is nothing.
        """
        if self._prefetcher is None or self._at != start:
            self._begin(start)
        assert self._prefetcher is not None
        said = time.monotonic()
        while True:
            taken, places, is_at_goal, is_ahead = self._prefetcher.take(
                max_records=max_records,
                max_bytes=max_bytes,
                keep_bytes=self._options.inline_bytes,
                gather_ms=_GATHER_MS,
                wait_ms=_WAIT_MS,
            )
            if taken or is_at_goal or self._until_ms is None:
                break
            if time.monotonic() - said > _SAY_EVERY_S:
                said = time.monotonic()
                _log.warning("waiting for shards of %s to be read: %s", self._options.stream, self.lag())
        if not taken:
            return start
        batch = [Range(shard, first, to, records) for shard, first, to, records, _, _ in taken]
        before = Offset.of(start, self._options.stream)
        self._at = replace(before, shards=dict(places), batch=batch).as_dict()
        blocks = [block for *_, blocks in taken for block in blocks]
        self._kept = (self._at, blocks) if blocks else None
        if is_ahead:
            # What lies between is read by executors alone. Reading ahead begins at the end, when that is asked from.
            self.lag()
            self._prefetcher.stop()
            self._prefetcher = None
        return self._at

    def kept(self, end: dict[str, Any]) -> list[Block] | None:
        """The records of the batch that ends there, if it is the last one and they are few."""
        if self._kept is not None and self._kept[0] == end:
            return self._kept[1]
        return None

    def lag(self) -> dict[str, Any] | None:
        """How far each shard is read, and how far that is behind; none before the query begins."""
        if self._prefetcher is not None:
            self._lag = {
                shard: {"readTo": place, "millisBehindLatest": behind, "recordsWaiting": waiting}
                for shard, place, behind, waiting in self._prefetcher.status()
            }
        return self._lag

    def stop(self) -> None:
        """Ends all reading."""
        if self._prefetcher is not None:
            self._prefetcher.stop()
        self._prefetcher = self._at = self._kept = None

    def _begin(self, start: dict[str, Any]) -> None:
        self.stop()
        offset = Offset.of(start, self._options.stream)
        prefetcher = self._make(offset)
        check_lost(prefetcher.lost(), offset.shards, self._options)
        if self._until_ms is not None:
            prefetcher.stop_at(self._until_ms)
        self._prefetcher, self._at = prefetcher, start

    def _start(self, offset: Offset) -> Prefetcher:
        from millstream._millstream import Prefetcher

        options = self._options
        return Prefetcher(
            client_of(options.client),
            stream=options.stream,
            initial=offset.initial,
            shards=list(offset.shards.items()),
            consumer=options.consumer,
            buffer_mib=options.buffer_mib,
            shard_sync_ms=options.shard_sync_ms,
        )


def check_lost(lost: Sequence[str], places: Mapping[str, str], options: Options) -> None:
    """Shards that are gone with records that were not read are an error, or a line in the log.

    Raises:
        LostShards: with ``failOnDataLoss``.
    """
    if not lost:
        return
    where = json.dumps({shard: places[shard] for shard in lost})
    message = (
        f"stream {options.stream} does not list shards any more that were not read to their end ({where}): "
        "what was left of them has passed its retention, or the stream was made anew. To go on without it, set "
        "failOnDataLoss=false"
    )
    if options.fail_on_data_loss:
        raise LostShards(message)
    _log.error("%s", message)
