"""What a processor's methods are given, under the names of ``amazon_kclpy.v3``."""

from __future__ import annotations

from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from millstream.errors import PySparkImportError

if TYPE_CHECKING:
    from millstream._millstream import Block, Record

__all__ = ["InitializeInput", "LeaseLostInput", "ProcessRecordsInput", "ShardEndedInput", "ShutdownRequestedInput"]

C = TypeVar("C")


class InitializeInput(NamedTuple):
    """Where the processing of a shard begins: behind this checkpoint, which may be one of the KCL's words such as
    ``TRIM_HORIZON``."""

    stream_name: str
    shard_id: str
    sequence_number: str
    sub_sequence_number: int
    pending_sequence_number: str | None = None
    """Of a checkpoint that the shard's last reader prepared and did not write."""
    pending_sub_sequence_number: int | None = None
    pending_state: bytes | None = None
    """What it was prepared with."""


class ProcessRecordsInput(Generic[C]):
    """Records of a shard, in order, never none."""

    def __init__(self, blocks: list[Block], millis_behind_latest: int, checkpointer: C) -> None:
        self._blocks = blocks
        self.millis_behind_latest = millis_behind_latest
        """How old the newest record read was against the tip of the shard, in milliseconds."""
        self.checkpointer = checkpointer
        """For this shard."""

    def __len__(self) -> int:
        return sum(map(len, self._blocks))

    @cached_property
    def records(self) -> list[Record]:
        """The records as objects, made when first asked for."""
        return list(chain.from_iterable(block.records() for block in self._blocks))

    def to_arrow(self) -> Any:
        """The records as a ``pyarrow.Table``: ``data``, ``partition_key``, ``sequence_number``,
        ``sub_sequence_number``, ``shard_id``, ``approximate_arrival_timestamp`` and ``stream``.

        :raises ImportError: pyarrow is not installed.
        """
        try:
            import pyarrow
        except ImportError as error:
            raise PySparkImportError(
                "records as Arrow need pyarrow, which is not installed: pip install 'millstream[arrow]'"
            ) from error
        from millstream.streaming.kinesis_columns import record_batch

        return pyarrow.Table.from_batches([record_batch(block, as_text=False) for block in self._blocks])


class LeaseLostInput(NamedTuple):
    """Nothing: the shard is another worker's."""


class ShardEndedInput(NamedTuple, Generic[C]):
    """The shard was delivered to its end, which must be checkpointed."""

    checkpointer: C


class ShutdownRequestedInput(NamedTuple, Generic[C]):
    """The lease is to be given up: the last moment for a checkpoint."""

    checkpointer: C
