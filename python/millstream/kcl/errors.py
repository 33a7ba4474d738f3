"""Why a checkpoint was not written."""

from __future__ import annotations

__all__ = ["CheckpointError", "CheckpointOutOfRangeError", "LeaseLostError"]


class CheckpointError(Exception):
    """A checkpoint that was not written. ``value`` is the Java exception's name, as in ``amazon_kclpy``."""

    value = "Exception"


class LeaseLostError(CheckpointError):
    """The shard's lease is another worker's. A processor need not catch it: ``lease_lost`` is called next."""

    value = "ShutdownException"


class CheckpointOutOfRangeError(CheckpointError, ValueError):
    """The checkpoint lies before the last one, or behind what was delivered."""

    value = "IllegalArgumentException"
