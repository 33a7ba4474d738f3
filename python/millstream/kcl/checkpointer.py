"""Checkpoints of one shard."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from millstream._millstream import KclCheckpointer, KclPreparedCheckpoint

__all__ = ["Checkpointer", "PreparedCheckpoint"]


class Checkpointer:
    """Writes checkpoints of one shard, as long as this worker holds its lease."""

    def __init__(self, native: KclCheckpointer) -> None:
        self._native = native

    def checkpoint(self, sequence_number: str | None = None, sub_sequence_number: int = 0) -> None:
        """Everything up to this record, itself included, is processed; without a number, everything delivered. At the
        end of a shard that is all of it. The checkpoint is stored when this returns.

        :raises LeaseLostError: the lease is another worker's.
        :raises CheckpointOutOfRangeError: before the last checkpoint, or behind what was delivered.
        """
        self._native.checkpoint(sequence_number, sub_sequence_number)

    def prepare_checkpoint(
        self, sequence_number: str | None = None, sub_sequence_number: int = 0, state: bytes | None = None
    ) -> PreparedCheckpoint:
        """Notes in the lease that this checkpoint is about to be written. If it is not, the shard's next reader is told
        of it, and given ``state``, by ``initialize``. The note is stored when this returns; the next checkpoint removes
        it.

        :raises LeaseLostError: the lease is another worker's.
        :raises CheckpointOutOfRangeError: before the last checkpoint, or behind what was delivered.
        """
        return PreparedCheckpoint(self._native.prepare(sequence_number, sub_sequence_number, state))


class PreparedCheckpoint:
    """A checkpoint that is noted in the lease, and still to be written."""

    def __init__(self, native: KclPreparedCheckpoint) -> None:
        self._native = native
        self.sequence_number, self.sub_sequence_number = native.at()

    def checkpoint(self) -> None:
        """Writes it. Raises as `Checkpointer.checkpoint`."""
        self._native.checkpoint()
