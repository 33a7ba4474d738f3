"""What a receiver has stored and no batch has done with yet, bounded in bytes."""

from __future__ import annotations

import sys
from collections import deque
from threading import Condition
from typing import Any

from millstream.errors import IllegalStateException


class Inbox:
    """A queue between a receiver's threads and the engine's.

    Bytes are counted from the moment an item is put until its batch has ended, so that a program that can't follow
    makes its receivers wait.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        #: Guards what follows.
        self._changed = Condition()
        self._items: deque[Any] = deque()
        self._sizes: deque[int] = deque()
        self._bytes = 0
        self._in_batches: dict[int, int] = {}
        self._closed = False

    def put(self, item: Any) -> None:
        """Adds an item, once there is room; an item that is larger than all the room waits until nothing else is there.

        Raises `IllegalStateException` when the inbox is closed, also while it waits.
        """
        size = _size(item)
        with self._changed:
            self._changed.wait_for(lambda: self._closed or not self._bytes or self._bytes + size <= self._most_bytes)
            if self._closed:
                raise IllegalStateException("Cannot store data: the receiver has been stopped")
            self._items.append(item)
            self._sizes.append(size)
            self._bytes += size

    def take(self, time_ms: int, most: int | None) -> list[Any]:
        """The items of a batch: all, or the first ``most``."""
        with self._changed:
            count = len(self._items) if most is None else min(most, len(self._items))
            self._in_batches[time_ms] = sum(self._sizes.popleft() for _ in range(count))
            return [self._items.popleft() for _ in range(count)]

    def release(self, time_ms: int) -> None:
        """A batch has ended."""
        with self._changed:
            self._bytes -= self._in_batches.pop(time_ms, 0)
            self._changed.notify_all()

    def close(self) -> None:
        """Takes no more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __len__(self) -> int:
        """The items that wait for a batch."""
        return len(self._items)


def _size(item: Any) -> int:
    """The bytes of an item and, if it is a container, of its elements; what is in these is not counted."""
    size = sys.getsizeof(item)
    if isinstance(item, (tuple, list, set, frozenset)):
        size += sum(map(sys.getsizeof, item))
    elif isinstance(item, dict):
        size += sum(map(sys.getsizeof, item)) + sum(map(sys.getsizeof, item.values()))
    return size
