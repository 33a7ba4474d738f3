"""How values of options are written."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime

_UNITS_MS = {"": 1, "ms": 1, "s": 1_000, "m": 60_000, "min": 60_000, "h": 3_600_000}


class InvalidOption(ValueError):
    """An option that is unknown, missing, or has a value that it can't have."""


def duration_ms(name: str, text: str, unit: str = "ms") -> int:
    """A time such as ``500ms``, ``10s`` or ``2 minutes`` in milliseconds; ``unit`` where none is written."""
    found = re.fullmatch(r"(\d+)\s*([a-z]*)", text.strip().lower())
    if found:
        word = found.group(2) or unit
        short = {"second": "s", "minute": "m", "hour": "h"}.get(word.removesuffix("s"), word)
        if short in _UNITS_MS:
            return int(found.group(1)) * _UNITS_MS[short]
    raise InvalidOption(f"option {name}={text} is not a time: write 500ms, 10s, 2m or 1h")


def number(name: str, text: str, least: int, most: int) -> int:
    """A whole number within bounds."""
    try:
        value = int(text.strip())
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        raise InvalidOption(f"option {name}={text} is not a whole number from {least} to {most}")
    return value


def size_bytes(name: str, text: str) -> int:
    """A number of bytes above 0, such as ``1048576``, ``512k`` or ``64m``."""
    found = re.fullmatch(r"(\d+)\s*([kmg]?)i?b?", text.strip().lower())
    value = int(found.group(1)) << {"": 0, "k": 10, "m": 20, "g": 30}[found.group(2)] if found else 0
    if value < 1:
        raise InvalidOption(f"option {name}={text} is not a number of bytes: write 1048576, 512k or 64m")
    return value


def boolean(name: str, text: str) -> bool:
    """``true`` or ``false``."""
    value = {"true": True, "false": False}.get(text.strip().lower())
    if value is None:
        raise InvalidOption(f"option {name}={text} is neither true nor false")
    return value


def timestamp_ms(name: str, text: str) -> int:
    """A time in milliseconds since the epoch: such a number, or ISO 8601 (UTC where no zone is written)."""
    plain = text.strip()
    if plain.isdigit():
        return int(plain)
    try:
        moment = datetime.fromisoformat(plain.replace("Z", "+00:00").replace("z", "+00:00"))
    except ValueError:
        message = f"option {name}={text} is not a time: write 2026-01-31T12:00:00Z, or milliseconds since the epoch"
        raise InvalidOption(message) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1_000)


def initial_position(name: str, text: str) -> str:
    """Where a stream is begun, as the native module takes it; ``LATEST`` becomes the present moment.

    Written ``latest``, ``trim_horizon``, ``earliest``, ``at_timestamp 2026-01-31T12:00:00Z``, or as Databricks does:
    ``{"at_timestamp": "2026-01-31T12:00:00Z"}``.
    """
    plain = text.strip()
    if plain.startswith("{"):
        try:
            fields = {key.lower(): value for key, value in json.loads(plain).items()}
        except ValueError:
            fields = {}
        if set(fields) != {"at_timestamp"}:
            raise InvalidOption(f'option {name}={text}: expected {{"at_timestamp": "2026-01-31T12:00:00Z"}}')
        return f"AT_TIMESTAMP {timestamp_ms(name, str(fields['at_timestamp']))}"
    word, _, when = plain.partition(" ")
    match word.upper():
        case "LATEST" if not when:
            return f"LATEST {time.time_ns() // 1_000_000}"
        case "TRIM_HORIZON" | "EARLIEST" if not when:
            return "TRIM_HORIZON"
        case "AT_TIMESTAMP" if when:
            return f"AT_TIMESTAMP {timestamp_ms(name, when)}"
    raise InvalidOption(f"option {name}={text} is none of latest, trim_horizon, earliest or at_timestamp TIME")
