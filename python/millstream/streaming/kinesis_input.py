"""A Kinesis stream as an input of a context."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from millstream._millstream import Block
    from millstream.rdd import RDD
    from millstream.streaming.context import StreamingContext
    from millstream.streaming.datasets import Datasets
    from millstream.streaming.dstream import DStream
    from millstream.streaming.kinesis_rows import RowsOf


class KinesisSettings(NamedTuple):
    """Where a stream is, where to begin, and as whom; the arguments of the native ``KinesisInput``."""

    app: str
    stream: str
    endpoint: str
    region: str
    #: ``LATEST``, ``TRIM_HORIZON``, or ``AT_TIMESTAMP`` and milliseconds since the epoch.
    initial: str
    checkpoint_interval_s: float
    access_key: str | None
    secret: str | None
    role_arn: str | None
    session_name: str | None
    external_id: str | None
    #: All settings of the program.
    conf: dict[str, str]

    def __repr__(self) -> str:
        """Without the secret."""
        return f"KinesisSettings(app={self.app!r}, stream={self.stream!r}, endpoint={self.endpoint!r})"


def kinesis_stream(
    ssc: StreamingContext, settings: KinesisSettings, rows: RowsOf, function: Callable[[Any], Any] | None
) -> DStream[Any]:
    """The stream of what ``function`` makes of the rows of each batch."""
    from millstream import _millstream

    datasets = ssc._datasets
    source = _millstream.KinesisInput(
        **settings._asdict(),
        batch_interval_s=ssc._batch_ms / 1000,
        make=lambda blocks: batch_of(datasets, blocks, settings, rows, function),
    )
    return ssc._kinesis_stream(source, settings.app, settings.stream, settings.endpoint, settings.region)


def batch_of(
    datasets: Datasets,
    blocks: Sequence[Block],
    settings: KinesisSettings,
    rows: RowsOf,
    function: Callable[[Any], Any] | None,
) -> RDD[Any]:
    """The RDD of a batch of blocks; ``function`` becomes the first step of what is done with its rows."""
    rdd = datasets.of_blocks(blocks, rows, settings)
    return rdd if function is None else rdd.map(function)
