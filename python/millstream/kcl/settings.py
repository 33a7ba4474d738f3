"""What a worker is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from millstream._millstream import KinesisInput
from millstream.errors import IllegalArgumentException

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    InitialPosition = Literal["LATEST", "TRIM_HORIZON"] | datetime
    ClientVersionConfig = Literal[
        "CLIENT_VERSION_CONFIG_COMPATIBLE_WITH_2X_PHASE1",
        "CLIENT_VERSION_CONFIG_COMPATIBLE_WITH_2X",
        "CLIENT_VERSION_CONFIG_3X",
    ]

__all__ = ["Settings", "Stream"]


class Stream(NamedTuple):
    """One of several streams of an application."""

    name: str
    """Its name; or ``account:stream:epoch``, where a Java worker calls it so and the epoch is not the stream's creation
    time in seconds."""
    initial_position: InitialPosition | None = None
    """Where it begins, if not as the settings say."""


class Settings(NamedTuple):
    """One worker of one application, written with the fields' names. Times are in seconds. Either ``stream_name`` or
    ``streams`` is given."""

    application_name: str
    """Also the name of the lease table. Workers of one name share the shards."""
    region_name: str
    stream_name: str | None = None
    """The one stream that is read. Leases are called as its shards."""
    streams: Sequence[str | Stream] | None = None
    """Several streams, which `Worker.set_streams` changes. Leases are called ``account:stream:epoch:shard``, as by a
    KCL that reads several."""
    endpoint_url: str | None = None
    """Of Kinesis; AWS's own unless set. One that is not AWS's is used for DynamoDB too."""
    dynamodb_endpoint_url: str | None = None
    initial_position: InitialPosition = "TRIM_HORIZON"
    """Where a new application begins."""
    cloudwatch_endpoint_url: str | None = None
    metrics_level: Literal["NONE", "SUMMARY", "DETAILED"] = "NONE"
    """What is reported to CloudWatch, which charges for each metric, in a namespace of the application's name."""
    metrics_enabled_dimensions: Sequence[str] | None = None
    """What metrics are told apart by, of ``Operation``, ``ShardId``, ``StreamId`` and ``WorkerIdentifier``; all unless
    set."""
    retrieval: Literal["polling", "fanOut"] = "polling"
    consumer_name: str | None = None
    """Of the consumer for fan-out; the application's name unless set."""
    lease_store: str | None = None
    """Where the leases are, if not in DynamoDB: ``sqlite:path``."""
    heartbeat: Literal["lease", "worker"] = "lease"
    """``worker``: one sign of life for all leases of a worker in place of a renewal of each, for fleets without workers
    of the KCL. The same for all workers."""
    client_version_config: ClientVersionConfig | None = None
    """What this worker is deployed for in the move of a fleet from KCL 2 to 3, by the KCL's words. Without it the
    worker follows the fleet, and starts nothing."""
    migrate_all_entities_to_lease_table: bool | None = None
    """Whether this worker takes part in the move of a fleet from the three tables of KCL 3.0 to 3.4 to one. ``False``
    takes the move back; without it the worker follows the fleet."""
    table_migration_complete_bake_time: float = 86_400.0
    """How long all workers must have written to the one table before there is no way back: an hour to seven days."""
    failover_time: float = 10.0
    """A lease not renewed for so long is another worker's to take. The same for all workers."""
    max_records: int = 10_000
    """Records of one call at most."""
    max_threads: int = 64
    """Calls of a `Worker`'s processors at a time, each in a thread. A call that waits, for a database or a service,
    keeps its thread; coroutines of an `AsyncWorker` do not."""
    idle_time_between_reads: float = 0.2
    """By polling, from one read of a shard to the next; AWS answers five a second, for all its readers together."""
    fail_on_data_loss: bool = True
    """Whether a shard that is gone before it was read, or a stream that was deleted and made again, is an error. Else
    reading goes on with what there is, with a log line."""
    access_key: str | None = None
    """With ``secret_key``; else the default chain of AWS's SDKs."""
    secret_key: str | None = None
    role_arn: str | None = None
    session_name: str | None = None
    external_id: str | None = None

    def __repr__(self) -> str:
        """All but the secrets."""
        shown = {name: value for name, value in self._asdict().items() if name not in ("secret_key", "external_id")}
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    def input(self) -> KinesisInput:
        """What the native worker takes.

        :raises IllegalArgumentException: a value that is not valid.
        """
        if (self.stream_name is None) == (self.streams is None):
            raise IllegalArgumentException("either stream_name or streams is to be given")
        if self.max_threads < 1:
            raise IllegalArgumentException(f"max_threads={self.max_threads}: at least one is needed")
        dimensions = self.metrics_enabled_dimensions
        moves = self.migrate_all_entities_to_lease_table
        options = {
            "dynamodb.endpoint": self.dynamodb_endpoint_url,
            "cloudwatch.endpoint": self.cloudwatch_endpoint_url,
            "metricsLevel": self.metrics_level,
            "metricsEnabledDimensions": None if dimensions is None else ",".join(dimensions),
            "retrieval": self.retrieval,
            "consumerName": self.consumer_name,
            "leaseStore": self.lease_store,
            "heartbeat": self.heartbeat,
            "clientVersionConfig": self.client_version_config,
            "migrateAllEntitiesToLeaseTable": None if moves is None else str(moves).lower(),
            "tableMigrationCompleteBakeTime": f"{round(self.table_migration_complete_bake_time)}s",
            "failOnDataLoss": str(self.fail_on_data_loss).lower(),
            "failoverTime": f"{round(self.failover_time * 1_000)}ms",
            "kinesis.readInterval": f"{round(self.idle_time_between_reads * 1_000)}ms",
        }
        return KinesisInput(
            app=self.application_name,
            stream=self.stream_name or "",
            endpoint=self.endpoint_url or f"https://kinesis.{self.region_name}.amazonaws.com",
            region=self.region_name,
            initial=_text(self.initial_position),
            checkpoint_interval_s=0,
            batch_interval_s=None,
            access_key=self.access_key,
            secret=self.secret_key,
            role_arn=self.role_arn,
            session_name=self.session_name,
            external_id=self.external_id,
            conf={f"spark.millstream.{name}": value for name, value in options.items() if value is not None},
            make=list,
        )

    def several(self) -> list[tuple[str, str]] | None:
        """The streams as the native worker takes them; none where one is read."""
        return None if self.streams is None else self.given(self.streams)

    def given(self, streams: Iterable[str | Stream]) -> list[tuple[str, str]]:
        """Each stream with its initial position."""
        named = [stream if isinstance(stream, Stream) else Stream(stream) for stream in streams]
        return [(stream.name, _text(stream.initial_position or self.initial_position)) for stream in named]


def _text(position: InitialPosition) -> str:
    """A position as the native side takes it."""
    return position if isinstance(position, str) else f"AT_TIMESTAMP {round(position.timestamp() * 1_000)}"
