"""The round with the AWS SDK for Java 1."""

from __future__ import annotations

from pathlib import Path

from maven import sdk_round
from outcome import Outcome


def run() -> Outcome:
    return sdk_round(Path(__file__).parent)
