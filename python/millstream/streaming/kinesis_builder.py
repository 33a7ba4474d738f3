"""Streams from Kinesis with all that there is to set: Spark's ``KinesisInputDStream.builder``, which PySpark lacks.

    KinesisInputDStream.builder.streamingContext(ssc).streamName("words").checkpointAppName("app") \\
        .initialPosition(KinesisInitialPositions.AtTimestamp(begin)) \\
        .buildWithMessageHandler(lambda record: (record.partition_key, record.data))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from millstream.errors import IllegalArgumentException
from millstream.storagelevel import StorageLevel
from millstream.streaming.kinesis import InitialPositionInStream, check_arguments
from millstream.streaming.kinesis_input import KinesisSettings, kinesis_stream
from millstream.streaming.kinesis_rows import KinesisRecord, RowsOf, data_rows, record_rows

if TYPE_CHECKING:
    from millstream.streaming.context import StreamingContext
    from millstream.streaming.dstream import DStream

__all__ = ["KinesisInitialPositions", "KinesisInputDStream", "KinesisRecord", "SparkAWSCredentials"]

T = TypeVar("T")


class KinesisInitialPositions:
    """Where an application begins that has no checkpoint yet."""

    class Latest:
        """With the next record to arrive."""

        name = "LATEST"

    class TrimHorizon:
        """With the oldest record kept."""

        name = "TRIM_HORIZON"

    class AtTimestamp:
        """With the first record that arrived at a time or later; a time without a zone is local time."""

        def __init__(self, timestamp: datetime) -> None:
            self.name = f"AT_TIMESTAMP {int(timestamp.timestamp() * 1000)}"

    @staticmethod
    def fromKinesisInitialPosition(position: int) -> Latest | TrimHorizon:
        """The position of a constant of `InitialPositionInStream`."""
        if position == InitialPositionInStream.LATEST:
            return KinesisInitialPositions.Latest()
        if position == InitialPositionInStream.TRIM_HORIZON:
            return KinesisInitialPositions.TrimHorizon()
        raise IllegalArgumentException(
            "Unsupported InitialPosition: use InitialPositionInStream.LATEST or InitialPositionInStream.TRIM_HORIZON"
        )


class _CredentialsBuilders:
    def __get__(self, _instance: object, _owner: object) -> SparkAWSCredentialsBuilder:
        return SparkAWSCredentialsBuilder()


class _Credentials(NamedTuple):
    access_key: str | None = None
    secret: str | None = None
    role_arn: str | None = None
    session_name: str | None = None
    external_id: str | None = None


class SparkAWSCredentials(_Credentials):
    """Keys and a role. Without either, AWS's default chain is asked; with a role, it is assumed with the keys."""

    builder = _CredentialsBuilders()

    def __repr__(self) -> str:
        """Without what is secret."""
        shown = self.access_key, self.role_arn, self.session_name
        return "SparkAWSCredentials(access_key={!r}, role_arn={!r}, session_name={!r})".format(*shown)


class SparkAWSCredentialsBuilder:
    """Builds `SparkAWSCredentials`."""

    def __init__(self) -> None:
        self._given: dict[str, str | None] = {}

    def basicCredentials(self, accessKeyId: str, secretKey: str) -> SparkAWSCredentialsBuilder:
        """Long-lived keys."""
        self._given |= {"access_key": accessKeyId, "secret": secretKey}
        return self

    def stsCredentials(
        self, roleArn: str, sessionName: str, externalId: str | None = None
    ) -> SparkAWSCredentialsBuilder:
        """A role to assume."""
        self._given |= {"role_arn": roleArn, "session_name": sessionName, "external_id": externalId}
        return self

    def build(self) -> SparkAWSCredentials:
        """The credentials."""
        return SparkAWSCredentials(**self._given)


class KinesisInputDStream:
    """Holds the builder, as in Spark."""

    class _Builders:
        def __get__(self, _instance: object, _owner: object) -> Builder:
            return Builder()

    builder = _Builders()


class Builder:
    """All setters of Spark's builder. ``storageLevel``, ``metricsLevel``, ``metricsEnabledDimensions`` and
    ``cloudWatchCredentials`` change nothing: a store of blocks and reports to CloudWatch are not here."""

    def __init__(self) -> None:
        self._ssc: StreamingContext | None = None
        self._stream: str | None = None
        self._app: str | None = None
        self._endpoint = "https://kinesis.us-east-1.amazonaws.com"
        self._region = "us-east-1"
        self._initial = KinesisInitialPositions.Latest.name
        self._interval: float | None = None
        self._credentials = SparkAWSCredentials()
        self._table_credentials: SparkAWSCredentials | None = None

    def streamingContext(self, ssc: StreamingContext) -> Builder:
        """The context of the stream; required."""
        self._ssc = ssc
        return self

    def streamName(self, streamName: str) -> Builder:
        """The Kinesis stream; required."""
        self._stream = streamName
        return self

    def checkpointAppName(self, appName: str) -> Builder:
        """The application, whose name the lease table has; required."""
        self._app = appName
        return self

    def endpointUrl(self, url: str) -> Builder:
        """Default: that of AWS in us-east-1."""
        self._endpoint = url
        return self

    def regionName(self, regionName: str) -> Builder:
        """Default: us-east-1."""
        self._region = regionName
        return self

    def initialPosition(
        self,
        initialPosition: (
            KinesisInitialPositions.Latest | KinesisInitialPositions.TrimHorizon | KinesisInitialPositions.AtTimestamp
        ),
    ) -> Builder:
        """Default: the latest."""
        self._initial = initialPosition.name
        return self

    def initialPositionInStream(self, initialPosition: int) -> Builder:
        """As `initialPosition`, from `InitialPositionInStream`."""
        return self.initialPosition(KinesisInitialPositions.fromKinesisInitialPosition(initialPosition))

    def checkpointInterval(self, interval: float) -> Builder:
        """The least time between two checkpoints of a shard, in seconds. Default: the batch duration."""
        self._interval = interval
        return self

    def storageLevel(self, storageLevel: StorageLevel) -> Builder:
        """Changes nothing."""
        return self

    def kinesisCredentials(self, credentials: SparkAWSCredentials) -> Builder:
        """Default: AWS's default chain."""
        self._credentials = credentials
        return self

    def dynamoDBCredentials(self, credentials: SparkAWSCredentials) -> Builder:
        """They must be those of Kinesis."""
        self._table_credentials = credentials
        return self

    def cloudWatchCredentials(self, credentials: SparkAWSCredentials) -> Builder:
        """Changes nothing."""
        return self

    def metricsLevel(self, metricsLevel: int) -> Builder:
        """Changes nothing."""
        return self

    def metricsEnabledDimensions(self, metricsEnabledDimensions: Iterable[str]) -> Builder:
        """Changes nothing."""
        return self

    def build(self) -> DStream[bytes]:
        """The stream of the records' data."""
        return self._build(data_rows, None)

    def buildWithMessageHandler(self, handler: Callable[[KinesisRecord], T]) -> DStream[T]:
        """The stream of what ``handler`` makes of the records."""
        return self._build(record_rows, handler)

    def _build(self, rows: RowsOf, function: Callable[[Any], Any] | None) -> DStream[Any]:
        ssc = self._required("streamingContext", self._ssc)
        app = self._required("checkpointAppName", self._app)
        stream = self._required("streamName", self._stream)
        interval = ssc._batch_ms / 1000 if self._interval is None else self._interval
        given = self._credentials
        keys = {"awsAccessKeyId": given.access_key, "awsSecretKey": given.secret}
        sts = dict.fromkeys(("stsAssumeRoleArn", "stsSessionName", "stsExternalId"))
        check_arguments(app, stream, self._endpoint, self._region, InitialPositionInStream.LATEST, interval, keys | sts)
        if self._table_credentials not in (None, given):
            raise IllegalArgumentException(
                "dynamoDBCredentials must be the same as kinesisCredentials: both services are used with one identity"
            )
        settings = KinesisSettings(
            app=app,
            stream=stream,
            endpoint=self._endpoint,
            region=self._region,
            initial=self._initial,
            checkpoint_interval_s=float(interval),
            conf=dict(ssc.sparkContext.getConf().getAll()),
            **given._asdict(),
        )
        return kinesis_stream(ssc, settings, rows, function)

    @staticmethod
    def _required(name: str, value: T | None) -> T:
        if value is None:
            raise IllegalArgumentException(f"No value provided for required parameter {name}")
        return value
