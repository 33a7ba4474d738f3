"""What streams read of the `SparkConf`. Most keys under ``spark.millstream.`` are read by the native module; here are
their names."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from millstream.errors import IllegalArgumentException

if TYPE_CHECKING:
    from millstream.conf import SparkConf

#: The longest time that a program may ask for, in seconds: some thirty years, which no clock or counter overflows.
LONGEST_S = 10**9

#: The keys under ``spark.millstream.`` that have an effect.
KNOWN = (
    "spark.millstream.bufferMiB",
    "spark.millstream.clientVersionConfig",
    "spark.millstream.cloudwatch.endpoint",
    "spark.millstream.cluster.carriedKiB",
    "spark.millstream.consumerName",
    "spark.millstream.dynamodb.endpoint",
    "spark.millstream.failOnDataLoss",
    "spark.millstream.failoverTime",
    "spark.millstream.heartbeat",
    "spark.millstream.kinesis.maxRecords",
    "spark.millstream.kinesis.readInterval",
    "spark.millstream.leaseScanInterval",
    "spark.millstream.leaseStore",
    "spark.millstream.metricsEnabledDimensions",
    "spark.millstream.metricsLevel",
    "spark.millstream.migrateAllEntitiesToLeaseTable",
    "spark.millstream.retrieval",
    "spark.millstream.tableMigrationCompleteBakeTime",
    "spark.millstream.ui.host",
    "spark.millstream.ui.token",
)

_TIME = re.compile(r"([0-9]{1,18})\s*([a-z]*)")
_UNITS_US = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "min": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
}


def stops_gracefully(conf: SparkConf) -> bool:
    """``spark.streaming.stopGracefullyOnShutdown``."""
    return flag(conf, "spark.streaming.stopGracefullyOnShutdown")


def flag(conf: SparkConf, key: str, default: str = "false") -> bool:
    """A setting that is on or off, with Spark's message for what is neither."""
    value = conf.get(key, default)
    if value.strip().lower() not in ("true", "false"):
        raise IllegalArgumentException(f"{key} should be boolean, but was {value}")
    return value.strip().lower() == "true"


def stop_timeout_ms(conf: SparkConf) -> int | None:
    """``spark.streaming.gracefulStopTimeout``, in Spark's units of time (milliseconds where none is given)."""
    return _time_ms(conf, "spark.streaming.gracefulStopTimeout", 1)


def restart_delay_ms(conf: SparkConf) -> int:
    """``spark.streaming.receiverRestartDelay`` (2 s)."""
    return _time_ms(conf, "spark.streaming.receiverRestartDelay", 1) or 2_000


def buffer_bytes(conf: SparkConf) -> int:
    """``spark.millstream.bufferMiB`` (64), for receivers; the native module reads it for Kinesis."""
    return _whole(conf, "spark.millstream.bufferMiB", 64, 1, 2_048) << 20


def carried_bytes(conf: SparkConf) -> int:
    """``spark.millstream.cluster.carriedKiB`` (1024), for streams on Spark."""
    return _whole(conf, "spark.millstream.cluster.carriedKiB", 1_024, 0, 1 << 20) << 10


def read_interval_ms(conf: SparkConf) -> int:
    """``spark.millstream.kinesis.readInterval`` (200 ms), for reads on Spark's executors; else the native module's."""
    return _time_ms(conf, "spark.millstream.kinesis.readInterval", 1) or 200


def max_records(conf: SparkConf) -> int:
    """``spark.millstream.kinesis.maxRecords`` (10,000), as `read_interval_ms`."""
    return _whole(conf, "spark.millstream.kinesis.maxRecords", 10_000, 1, 10_000)


def fails_on_loss(conf: SparkConf) -> bool:
    """``spark.millstream.failOnDataLoss`` (true), as `read_interval_ms`."""
    return flag(conf, "spark.millstream.failOnDataLoss", "true")


def _whole(conf: SparkConf, key: str, default: int, least: int, most: int) -> int:
    value = conf.get(key, str(default))
    if not value.isdecimal() or not least <= int(value) <= most:
        raise IllegalArgumentException(f"{key}={value} is not a number from {least} to {most}")
    return int(value)


def remember_files_ms(conf: SparkConf, batch_ms: int) -> int:
    """``spark.streaming.fileStream.minRememberDuration`` (60 s; seconds where no unit is given), in whole batches."""
    key = "spark.streaming.fileStream.minRememberDuration"
    least_ms = _time_ms(conf, key, 1_000) or _time_ms(conf, "spark.streaming.minRememberDuration", 1_000) or 60_000
    return -(-least_ms // batch_ms) * batch_ms


def _time_ms(conf: SparkConf, key: str, unit_ms: int) -> int | None:
    """A time above 0 in Spark's notation; ``unit_ms`` is that of a number without a unit."""
    value = conf.get(key)
    if value is None:
        return None
    match = _TIME.fullmatch(value.strip().lower())
    units_us = {**_UNITS_US, "": unit_ms * 1_000}
    millis = int(match[1]) * units_us.get(match[2], 0) // 1_000 if match else 0
    if not 0 < millis <= LONGEST_S * 1_000:
        raise IllegalArgumentException(f"{key}={value} is not a time above 0; write 500ms, 10s, 2m or 1h")
    return millis


def warn_of_unknown(conf: SparkConf) -> None:
    """One line on standard error for each key for streams that has no effect."""
    for key, _ in conf.getAll():
        if key.startswith("spark.millstream.") and key not in KNOWN:
            from difflib import get_close_matches

            nearest = get_close_matches(key, KNOWN, n=1, cutoff=0)[0]
            print(f"millstream: {key} is not a setting and has no effect; the nearest is {nearest}", file=sys.stderr)
        elif key.startswith("spark.streaming."):
            from millstream.streaming.idle_settings import why_idle

            if why := why_idle(key):
                print(f"millstream: {key} has nothing to do: {why}", file=sys.stderr)
