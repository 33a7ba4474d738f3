"""Kinesis for a process that was sent what to read: settings that can be pickled, and the process's client for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from millstream._millstream import Block, KinesisClient

__all__ = ["ClientSettings", "Range", "client_of"]


@dataclass(frozen=True)
class ClientSettings:
    """How Kinesis is reached and polled. What is left open is decided as in every AWS SDK: environment, then files."""

    region: str = ""
    endpoint: str | None = None
    access_key: str | None = None
    secret: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    role_arn: str | None = None
    session_name: str | None = None
    external_id: str | None = field(default=None, repr=False)
    read_interval_ms: int = 200
    """From the start of a read of a shard to that of the next; Kinesis allows five reads a second."""
    max_records: int = 10_000
    """Records of one read."""


@dataclass(frozen=True)
class Range:
    """Records of one shard that were read before: enough to read the same ones again, in any process."""

    shard: str
    first: str
    """The first record's place, ``sequence:sub``; included."""
    to: str
    """The last record's place; included."""
    records: int | None
    """None where nobody has counted them."""

    def read(self, settings: ClientSettings, stream: str) -> Iterator[Block]:
        """The records, in blocks.

        Raises:
            MissingRecords: at the end, if not all of them are in the stream any more.
        """
        read = client_of(settings).read_again(stream, self.shard, self.first, self.to, self.records)
        yield from read
        if read.missing:
            raise MissingRecords(stream, self, read.missing)


class MissingRecords(Exception):
    """Records of a range are not in the stream any more."""

    def __init__(self, stream: str, wanted: Range, missing: int) -> None:
        super().__init__(stream, wanted, missing)
        self.stream = stream
        self.range = wanted
        self.missing = missing

    def __str__(self) -> str:
        counted = self.range.records is not None
        which = f"{self.missing} of {self.range.records} records are" if counted else "the first or the last record is"
        where = f"{self.stream}/{self.range.shard} from {self.range.first} to {self.range.to}"
        return (
            f"{which} not in the stream any more, of {where}: their retention has passed, or the stream was made anew"
        )


@lru_cache(maxsize=16)
def client_of(settings: ClientSettings) -> KinesisClient:
    """This process's client for these settings: it connects, and starts its threads, when it is used first."""
    from millstream._millstream import KinesisClient

    return KinesisClient(**asdict(settings))
