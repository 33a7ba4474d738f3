"""What a worker is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from millstream._millstream import KinesisInput

__all__ = ["Settings"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One worker of one application on one stream. Times are in seconds."""

    application_name: str
    """Also the name of the lease table. Workers of one name share the shards."""
    stream_name: str
    region_name: str
    endpoint_url: str | None = None
    """Of Kinesis; AWS's own unless set. One that is not AWS's is used for DynamoDB too."""
    dynamodb_endpoint_url: str | None = None
    initial_position: Literal["LATEST", "TRIM_HORIZON"] | datetime = "TRIM_HORIZON"
    """Where a new application begins."""
    retrieval: Literal["polling", "fanOut"] = "polling"
    consumer_name: str | None = None
    """Of the consumer for fan-out; the application's name unless set."""
    lease_store: str | None = None
    """Where the leases are, if not in DynamoDB: ``sqlite:path``."""
    failover_time: float = 10.0
    """A lease not renewed for so long is another worker's to take. The same for all workers."""
    max_records: int = 10_000
    """Records of one call at most."""
    idle_time_between_reads: float = 0.2
    """By polling, from one read of a shard to the next; AWS answers five a second, for all its readers together."""
    access_key: str | None = None
    """With ``secret_key``; else the default chain of AWS's SDKs."""
    secret_key: str | None = None
    role_arn: str | None = None
    session_name: str | None = None
    external_id: str | None = None

    def input(self) -> KinesisInput:
        """What the native worker takes.

        :raises IllegalArgumentException: a value that is not valid.
        """
        options = {
            "dynamodb.endpoint": self.dynamodb_endpoint_url,
            "retrieval": self.retrieval,
            "consumerName": self.consumer_name,
            "leaseStore": self.lease_store,
            "failoverTime": f"{round(self.failover_time * 1_000)}ms",
            "kinesis.readInterval": f"{round(self.idle_time_between_reads * 1_000)}ms",
        }
        initial = self.initial_position
        if isinstance(initial, datetime):
            initial = f"AT_TIMESTAMP {round(initial.timestamp() * 1_000)}"  # type: ignore[assignment]
        return KinesisInput(
            app=self.application_name,
            stream=self.stream_name,
            endpoint=self.endpoint_url or f"https://kinesis.{self.region_name}.amazonaws.com",
            region=self.region_name,
            initial=str(initial),
            checkpoint_interval_s=0,
            access_key=self.access_key,
            secret=self.secret_key,
            role_arn=self.role_arn,
            session_name=self.session_name,
            external_id=self.external_id,
            conf={f"spark.millstream.{name}": value for name, value in options.items() if value is not None},
            make=list,
        )
