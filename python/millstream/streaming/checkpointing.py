"""What Spark demands of checkpoints before a context starts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from millstream.errors import IllegalArgumentException

if TYPE_CHECKING:
    from millstream.streaming.operations import StreamOperations


def check_checkpoints(directory: str | None, stateful: bool, checkpointed: Iterable[StreamOperations[Any]]) -> None:
    """Raises what `DStream.validateAtStart` of Spark raises."""
    intervals = [(stream._checkpoint_ms or 0, stream._slide_ms) for stream in checkpointed]
    if directory is None and (stateful or intervals):
        raise IllegalArgumentException(
            "requirement failed: The checkpoint directory has not been set. "
            "Please set it by StreamingContext.checkpoint()."
        )
    for interval_ms, slide_ms in intervals:
        begin = f"requirement failed: The checkpoint interval for DStream has been set to {interval_ms} ms which "
        if interval_ms < slide_ms:
            raise IllegalArgumentException(
                f"{begin}is lower than its slide time ({slide_ms} ms). Please set it to at least {slide_ms} ms."
            )
        if interval_ms % slide_ms:
            raise IllegalArgumentException(
                f"{begin}not a multiple of its slide time ({slide_ms} ms). "
                f"Please set it to a multiple of {slide_ms} ms."
            )
