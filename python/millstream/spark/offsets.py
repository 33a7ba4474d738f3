"""Offsets: where each shard is, and of which ranges the batch is made that ends there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

from millstream.kinesis_client import Range
from millstream.spark.values import InvalidOption

FORMAT = 1
#: In place of the number of records, where nobody has counted them.
_MANY = "?"


@dataclass(frozen=True)
class Offset:
    """An exact place in a stream. Spark keeps it in its checkpoint as JSON."""

    stream: str
    initial: str
    """Where shards begin that have no place: ``TRIM_HORIZON``, or ``LATEST`` or ``AT_TIMESTAMP`` with milliseconds."""
    shards: Mapping[str, str] = field(default_factory=dict)
    """Each shard's last record, ``sequence:sub``, or a word of the KCL such as ``SHARD_END``."""
    batch: Sequence[Range] = ()
    """What lies between the offset before and this one: enough to read the same batch again."""

    def as_dict(self) -> dict[str, Any]:
        """For Spark's checkpoint."""
        return {
            "millstream": FORMAT,
            "stream": self.stream,
            "initial": self.initial,
            "shards": dict(self.shards),
            "batch": {part.shard: f"{part.first} {part.to} {_counted(part)}" for part in self.batch},
        }

    @classmethod
    def of(cls, offset: Mapping[str, Any], stream: str) -> Offset:
        """From a checkpoint.

        Raises:
            InvalidOption: it is of another stream, or not one of ours.
        """
        if offset.get("millstream") != FORMAT:
            raise InvalidOption(
                f"the checkpoint has an offset that this version can't read ({str(offset)[:200]}); use another "
                "checkpointLocation for a query that was begun with another source or a later version"
            )
        if offset["stream"] != stream:
            raise InvalidOption(
                f"the checkpoint is of stream {offset['stream']} and not of {stream}: use another checkpointLocation"
            )
        batch = []
        for shard, text in offset["batch"].items():
            first, to, records = text.split(" ")
            batch.append(Range(shard, first, to, None if records == _MANY else int(records)))
        return cls(stream, offset["initial"], offset["shards"], batch)


def tasks(batch: Sequence[Range], shards_per_task: int) -> list[tuple[Range, ...]]:
    """The ranges of each task, the longest first so that the last one to end is a short one."""
    longest_first = sorted(batch, key=lambda part: -inf if part.records is None else -part.records)
    count = -(-len(longest_first) // shards_per_task)
    return [tuple(longest_first[task::count]) for task in range(count)]


def _counted(part: Range) -> str:
    return _MANY if part.records is None else str(part.records)
