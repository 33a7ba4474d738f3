"""Contexts for the tests."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from processes import Submitter

from millstream import SparkContext
from millstream.streaming import StreamingContext


@pytest.fixture
def sc() -> Iterator[SparkContext]:
    with SparkContext("local[3]", "tests") as context:
        yield context


@pytest.fixture
def ssc(sc: SparkContext) -> Iterator[StreamingContext]:
    context = StreamingContext(sc, 0.05)
    yield context
    context.stop()


@pytest.fixture
def submit(tmp_path: Path) -> Submitter:
    """Runs `millstream submit` in a process of its own."""
    return Submitter(tmp_path)
