"""How the records of a batch are parted for Spark's executors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from millstream.cluster.parts import Carried, CarriedPart
from millstream.streaming.kinesis_rows import record_rows

if TYPE_CHECKING:
    from millstream._millstream import Block
    from millstream.streaming.kinesis_input import KinesisSettings


class Plan(NamedTuple):
    """Sizes in bytes of records' data."""

    #: A partition of at most so many is carried along.
    carried: int
    #: How many partitions a batch should have at least, if it is large enough.
    parallelism: int

    @classmethod
    def of(cls, sc: Any) -> Plan:
        """As the program has set it."""
        from millstream.streaming.settings import carried_bytes

        return cls(carried_bytes(sc.getConf()), sc.defaultParallelism)

    def parts(
        self, blocks: Sequence[Block], rows: Callable[[Block], Iterable[Any]], settings: KinesisSettings
    ) -> list[Any]:
        """The partitions of a batch, in the order of its blocks."""
        all_columns = rows is record_rows
        return [CarriedPart([Carried(block, all_columns) for block in group]) for group in self.groups(blocks)]

    def groups(self, blocks: Sequence[Block]) -> Iterator[list[Block]]:
        """Neighbouring blocks of one shard, of a few at most that are larger than the bytes of the batch over its
        partitions."""
        total = sum(block.byte_len for block in blocks)
        most = max(self.carried, -(-total // self.parallelism))
        group: list[Block] = []
        size = 0
        for block in blocks:
            if group and (block.shard != group[0].shard or size + block.byte_len > most):
                yield group
                group, size = [], 0
            group.append(block)
            size += block.byte_len
        if group:
            yield group
