"""Windows by key that are carried on from slide to slide: what comes in is added, what goes out is taken off."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from millstream.streaming.batches import Batches
from millstream.streaming.keyed_state import Advance, Changes, KeyedState

if TYPE_CHECKING:
    from millstream.rdd import RDD
    from millstream.streaming.datasets import Datasets

#: A window of fewer slides is cheaper computed anew (Spark's `PythonReducedWindowedDStream`), and then has no key that
#: is in none of its batches.
FEWEST_SLIDES = 5


class InverseWindow:
    """The totals of a stream of RDDs that are reduced by key already."""

    def __init__(
        self,
        datasets: Datasets,
        batches: Batches,
        totals: KeyedState,
        length_ms: int,
        slide_ms: int,
        reduced: Callable[[list[RDD[Any]]], RDD[Any]],
        advance: Advance,
    ) -> None:
        """``reduced`` makes one RDD of several, by key; ``batches`` reach back for one slide more than the window."""
        self._datasets = datasets
        self._batches = batches
        self._totals = totals
        self._length_ms = length_ms
        self._slide_ms = slide_ms
        self._reduced = reduced
        self._advance = advance

    def at(self, time_ms: int) -> RDD[Any]:
        """The totals of the window that ends at ``time_ms``, which is one slide behind the last call's."""
        begin_ms = time_ms - self._length_ms
        if self._totals.last is None:
            leaving, since_ms = self._reduced([]), begin_ms
        else:
            leaving = self._reduced(self._batches.between(begin_ms - self._slide_ms, begin_ms))
            since_ms = time_ms - self._slide_ms
        entering = self._reduced(self._batches.between(since_ms, time_ms))
        inputs = [self._datasets.node(leaving), self._datasets.node(entering)]
        return self._datasets.of_node(self._totals.next(inputs, self._advance))


def add_and_take_off(
    add: Callable[[Any, Any], Any], take_off: Callable[[Any, Any], Any], keep: Callable[[Any], Any] | None
) -> Advance:
    """What goes out is taken off before what comes in is added; a total stays, whatever it is, unless ``keep`` is there
    and says no."""

    def advance(
        old: dict[Any, Any], leaving: Iterable[tuple[Any, Any]], entering: Iterable[tuple[Any, Any]]
    ) -> tuple[dict[Any, Any], Changes]:
        new = dict(old)
        touched: dict[Any, None] = {}
        for key, value in leaving:
            if key in new and value is not None:
                new[key] = take_off(new[key], value)
                touched[key] = None
        for key, value in entering:
            new[key] = add(new[key], value) if key in new else value
            touched[key] = None
        gone = [] if keep is None else [key for key in touched if not keep((key, new[key]))]
        for key in gone:
            del new[key]
        return new, Changes({key: new[key] for key in touched if key in new}, gone)

    return advance
