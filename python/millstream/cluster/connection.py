"""How Spark's executors get at a Kinesis stream."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from millstream._millstream import KinesisClient
    from millstream.streaming.kinesis_input import KinesisSettings


class Connection(NamedTuple):
    """Where Kinesis is, as whom it is asked and how often. It goes to executors with the functions of a batch, which
    Spark keeps in memory, and not with the partitions, which it writes to files."""

    endpoint: str
    region: str
    access_key: str | None
    secret: str | None
    role_arn: str | None
    session_name: str | None
    external_id: str | None
    read_interval_ms: int
    max_records: int
    #: Whether records that have left the stream are an error.
    fails_on_loss: bool

    @classmethod
    def of(cls, settings: KinesisSettings) -> Connection:
        """That of a stream. Without keys, executors ask AWS's default chain where they are."""
        from millstream.streaming.settings import fails_on_loss, max_records, read_interval_ms

        conf: Any = settings.conf
        return cls(
            settings.endpoint,
            settings.region,
            settings.access_key,
            settings.secret,
            settings.role_arn,
            settings.session_name,
            settings.external_id,
            read_interval_ms(conf),
            max_records(conf),
            fails_on_loss(conf),
        )

    def client(self) -> KinesisClient:
        """The client, which a process makes once."""
        return _client(self)

    def __repr__(self) -> str:
        """Without the secret."""
        return f"Connection(endpoint={self.endpoint!r}, region={self.region!r})"


@cache
def _client(connection: Connection) -> KinesisClient:
    from millstream._millstream import KinesisClient

    settings = connection._asdict()
    del settings["fails_on_loss"]
    return KinesisClient(session_token=None, **settings)
