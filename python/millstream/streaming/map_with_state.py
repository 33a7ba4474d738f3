"""``mapWithState``: a stream of what a function makes of each pair and its key's state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, cast

from millstream.rdd import portable_hash
from millstream.streaming.dstream import DStream
from millstream.streaming.initial import pairs_of
from millstream.streaming.state_spec import E, K, S, StateSpec
from millstream.streaming.state_store import StateStore

if TYPE_CHECKING:
    from millstream.rdd import RDD
    from millstream.streaming.state_store import Mapped
    from millstream.streaming.stateful import StatefulOperations


class MapWithStateDStream(DStream[E], Generic[E, K, S]):
    """The mapped stream; the states are a stream of their own, for those who ask."""

    def stateSnapshots(self) -> DStream[tuple[K, S]]:
        """All keys and their states after each batch. Reading it costs what all keys cost."""
        datasets = self._ssc._datasets
        return self._each(lambda rdd: datasets.of_node(cast("Mapped", datasets.node(rdd)).states()))


def map_with_state(
    stream: StatefulOperations[Any], spec: StateSpec[Any, Any, Any, Any]
) -> MapWithStateDStream[Any, Any, Any]:
    """See `StatefulOperations.mapWithState`."""
    datasets = stream._ssc._datasets
    partitions = stream._partitions(spec._partitions)
    store = StateStore(spec._mapping, spec._timeout_ms, partitions, pairs_of(datasets, spec._initial))
    stream._ssc._keep("mapWithState", store)

    def compute(time_ms: int, rdd: RDD[Any] | None) -> RDD[Any] | None:
        if rdd is None and not stream._ssc._grid.has(time_ms, stream._slide_ms):
            return None
        data = None if rdd is None else datasets.node(rdd.partitionBy(partitions, portable_hash))
        return datasets.of_node(store.next(time_ms, data))

    derived = stream._ssc._derive_always(stream._itself(), compute, stream._slide_ms)
    return MapWithStateDStream(stream._ssc, derived._stream, stream._slide_ms)
