"""The round with boto3."""

from __future__ import annotations

import sys
from pathlib import Path

from outcome import Outcome, steps
from service import environment, local

HERE = Path(__file__).parent


def run() -> Outcome:
    with local() as endpoint:
        program = [sys.executable, str(HERE / "round.py")]
        return steps("python", program, HERE, environment(AWS_ENDPOINT_URL=endpoint), 120)
