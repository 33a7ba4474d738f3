"""How the records of a batch are parted for Spark's executors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from millstream.cluster.parts import CarriedPart, RangePart

if TYPE_CHECKING:
    from millstream._millstream import Block


class Plan(NamedTuple):
    """What a partition is, by the bytes of its records' data."""

    #: A partition of at most so many carries its records along.
    carried: int
    #: How many partitions a large batch has at least.
    parallelism: int

    def parts(self, blocks: Sequence[Block], all_columns: bool) -> list[CarriedPart | RangePart]:
        """The partitions of a batch, in the order of its blocks."""
        return [
            CarriedPart(group, all_columns) if _size(group) <= self.carried else RangePart.of(group)
            for group in self.groups(blocks)
        ]

    def groups(self, blocks: Sequence[Block]) -> Iterator[list[Block]]:
        """Neighbouring blocks of one shard. A shard with more than what can be carried along, and more than its share
        if all partitions were equal, is several groups."""
        most = max(self.carried, -(-_size(blocks) // self.parallelism))
        group: list[Block] = []
        size = 0
        for block in filter(len, blocks):
            if group and (block.shard != group[0].shard or size + block.byte_len > most):
                yield group
                group, size = [], 0
            group.append(block)
            size += block.byte_len
        if group:
            yield group


def _size(blocks: Sequence[Block]) -> int:
    return sum(block.byte_len for block in blocks)
