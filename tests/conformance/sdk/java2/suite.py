"""The round with the AWS SDK for Java 2."""

from __future__ import annotations

from pathlib import Path

from maven import jars, program
from outcome import Outcome, steps
from service import environment, local

HERE = Path(__file__).parent


def run() -> Outcome:
    classpath = f"{jars(HERE)}/*"
    with local() as endpoint:
        return steps(
            "java2", program(HERE / "Round.java", classpath), HERE, environment(AWS_ENDPOINT_URL=endpoint), 180
        )
