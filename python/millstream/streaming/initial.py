"""States that are there before the first batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

from millstream import taskstate

if TYPE_CHECKING:
    from millstream.rdd import RDD
    from millstream.streaming.datasets import Datasets


def pairs_of(datasets: Datasets, initial: RDD[Any] | Iterable[Any] | None) -> Callable[[], Iterable[tuple[Any, Any]]]:
    """Gives the pairs of a list, or of an RDD, which is computed then."""

    def pairs() -> Iterable[tuple[Any, Any]]:
        if datasets.owns(initial):
            # The first batch asks, and where there are no workers it is within a task of its own.
            with taskstate.driver():
                return initial.collect()
        return cast("Iterable[tuple[Any, Any]]", initial or ())

    return pairs
