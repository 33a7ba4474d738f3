"""Which batch times are those of a stream that has an RDD only every few batches."""

from __future__ import annotations

from millstream.streaming.keyed_state import Changes


class Grid:
    """Slides are counted from one batch before the first."""

    def __init__(self, batch_ms: int) -> None:
        self._batch_ms = batch_ms
        self._zero_ms: int | None = None
        self._saved = False

    def note(self, time_ms: int) -> None:
        """A batch runs; the first one fixes the grid."""
        if self._zero_ms is None:
            self._zero_ms = time_ms - self._batch_ms

    def has(self, time_ms: int, slide_ms: int) -> bool:
        """Whether a stream with this slide has an RDD at a batch time."""
        return self._zero_ms is not None and (time_ms - self._zero_ms) % slide_ms == 0

    def floor(self, time_ms: int, slide_ms: int) -> int:
        """The last time at or before ``time_ms`` at which a stream with this slide has an RDD."""
        return time_ms - (time_ms - (self._zero_ms or 0)) % slide_ms

    def changes(self) -> Changes | None:
        """The grid, once."""
        if self._saved or self._zero_ms is None:
            return None
        self._saved = True
        return self.all()

    def all(self) -> Changes:
        """The grid."""
        return Changes({"batch_ms": self._batch_ms, "zero_ms": self._zero_ms}, [])

    def restore(self, known: dict[str, int]) -> None:
        """Goes on with the grid of an earlier run, if it had the same batches."""
        if known.get("batch_ms") == self._batch_ms:
            self._zero_ms = known["zero_ms"]
            self._saved = True
