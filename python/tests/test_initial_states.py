"""States that are there before the first batch, as lists and as RDDs, under all masters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from batches import elements

from millstream import SparkContext
from millstream.streaming import DStream, StateSpec, StreamingContext

PAIRS = [("a", 10), ("z", 7), ("a", 99)]


def updated(stream: DStream[Any], initial: Any) -> DStream[Any]:
    return stream.updateStateByKey(lambda values, total: (total or 0) + sum(values), initialRDD=initial)


def mapped(stream: DStream[Any], initial: Any) -> DStream[Any]:
    spec = StateSpec.function(lambda key, value, state: state.update((state.getOption() or 0) + value))
    return stream.mapWithState(spec.initialState(initial)).stateSnapshots()


@pytest.mark.parametrize("operation", [updated, mapped])
@pytest.mark.parametrize("as_rdd", [False, True])
def test_initial_states(sc: SparkContext, tmp_path: Path, operation: Callable[..., Any], as_rdd: bool) -> None:
    ssc = StreamingContext(sc, 0.05)
    ssc.checkpoint(str(tmp_path))
    stream = operation(ssc.queueStream([[("a", 1), ("b", 1)]]), sc.parallelize(PAIRS) if as_rdd else PAIRS)
    assert elements(stream, 2) == [[("a", 11), ("b", 1), ("z", 7)]] * 2
    ssc.stop()
