"""Inputs written in Python, as the native engine calls them: from its own thread, one call at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from millstream.rdd import RDD


class Source:
    """An input. It has no progress to write down and nothing to bring to an end unless a method is overridden."""

    #: What it reads, for people.
    label: str
    #: Whether something receives for it all the time.
    has_receiver = False

    def start(self) -> None:
        """The streams begin."""

    def limit(self, records: int | None) -> None:
        """How many records the next batch may have at most; None: all there are. One that does not count takes all."""

    def cut(self, time_ms: int) -> tuple[RDD[Any], int]:
        """The dataset of a batch, and how many records it has (0 where counting them would compute it)."""
        raise NotImplementedError

    def committed(self, time_ms: int) -> None:
        """All outputs of the batch have succeeded."""

    def failed(self, time_ms: int) -> None:
        """An output of the batch has failed."""

    def drain(self) -> None:
        """A graceful stop begins: nothing more is to be read."""

    def is_drained(self) -> bool:
        """Whether nothing is left to cut after `drain`."""
        return True

    def stop(self, graceful: bool) -> None:
        """The streams end."""
