"""The names of options: ours, those of the awslabs connector (with `kinesis.` before them) and those of Databricks."""

from __future__ import annotations

from collections.abc import Mapping

from millstream.spark.values import InvalidOption

#: Every name that an option is understood by, in lower case and without `kinesis.`, and the one that is used here.
NAMES = {
    other.lower(): name
    for name, others in {
        "streamName": [],
        "endpointUrl": ["endpoint"],
        "region": ["kinesisRegion"],
        "awsAccessKeyId": ["awsAccessKey"],
        "awsSecretKey": [],
        "sessionToken": ["awsSessionToken"],
        "roleArn": ["stsRoleArn", "awsStsRoleArn"],
        "roleSessionName": ["stsSessionName", "awsStsSessionName"],
        "roleExternalId": [],
        "startingPosition": ["initialPosition"],
        "startingTimestamp": [],
        "endingTimestamp": [],
        "consumerType": ["consumerMode"],
        "consumerName": [],
        "failOnDataLoss": [],
        "leaseTable": ["applicationName"],
        "failoverTime": [],
        "dynamodbEndpoint": ["dynamodb.endpoint"],
        "describeShardInterval": ["shardFetchInterval"],
        "getRecords.numberOfRecordsPerFetch": ["maxRecordsPerFetch"],
        "getRecords.fetchIntervalMs": ["minFetchPeriod"],
        "maxRecordsPerTrigger": [],
        "maxBytesPerTrigger": [],
        "bufferBytes": ["fetchBufferSize"],
        "inlineBytes": [],
        "shardsPerTask": [],
        "sink.aggregationEnabled": [],
        "sink.bufferBytes": [],
    }.items()
    for other in [name, *others]
}

_OFFSETS = "offsets are in Spark's own checkpoint"
_BOUND = "what is read ahead is bounded by bufferBytes, and a batch by maxRecordsPerTrigger and maxBytesPerTrigger"
_RETRIES = "calls are repeated with growing waits, ten times at most"
_AT_ONCE = "a task of the sink puts its records and waits for all of them"

#: Options of the others that have nothing to do here, and why.
IDLE = {
    name.lower(): why
    for why, names in {
        _OFFSETS: [
            "minBatchesToRetain",
            "metadataCommitterType",
            "metadataPath",
            "metadataNumRetries",
            "metadataRetryIntervalsMs",
            "metadataMaxRetryIntervalMs",
            "dynamodb.tableName",
        ],
        _BOUND: [
            "maxFetchRecordsPerShard",
            "maxFetchTimePerShardSec",
            "maxFetchDuration",
            "maxFetchRate",
            "coalesceThresholdBlockSize",
            "coalesceBinSize",
            "internal.dataQueueCapacity",
            "internal.maxDataQueueEmptyCount",
            "internal.dataQueueWaitTimeoutSec",
            "internal.maintenanceTaskIntervalSec",
            "internal.avoidEmptyBatches",
        ],
        _RETRIES: [
            "clientNumRetries",
            "clientRetryIntervalsMs",
            "clientMaxRetryIntervalMs",
            "subscribeToShard.maxRetries",
            "subscribeToShard.timeoutSec",
        ],
        _AT_ONCE: [
            "sink.flushWaitTimeMs",
            "sink.recordMaxBufferedTimeMs",
            "sink.maxConnections",
            "sink.recordTtl",
        ],
        "the driver reads all shards at a time": ["checkNewRecordThreads", "maxShardsPerDescribe"],
        "a consumer for fan-out stays registered": ["requireConsumerDeregistration"],
    }.items()
    for name in names
}

#: What Spark itself hands to a data source.
SPARKS = {"path", "checkpointlocation", "queryname", "paths"}


def known_options(given: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The options by their names here, and those that have nothing to do with the reason.

    Raises:
        InvalidOption: an unknown option, or one that is given by two names with two values.
    """
    options: dict[str, str] = {}
    idle: dict[str, str] = {}
    unknown = []
    for key, value in given.items():
        plain = key.lower().removeprefix("kinesis.")
        if plain in IDLE:
            idle[key] = IDLE[plain]
        elif plain not in NAMES:
            if key.lower() not in SPARKS:
                unknown.append(key)
        elif options.setdefault(NAMES[plain], value) != value:
            raise InvalidOption(f"option {NAMES[plain]} is given twice, under two names and with two values")
    if unknown:
        raise InvalidOption(f"unknown options: {', '.join(sorted(unknown))}; those that there are: docs/spark.md")
    return options, idle
