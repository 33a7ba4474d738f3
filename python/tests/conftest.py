"""Contexts for the tests."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from processes import Submitter

from millstream import SparkConf, SparkContext
from millstream.streaming import StreamingContext

# In the background of a shell without job control (nohup, some CI) Ctrl-C is ignored, by this process and by all that
# it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)


def context(master: str) -> SparkContext:
    return SparkContext(master, "tests", conf=SparkConf().set("spark.default.parallelism", 3))


@pytest.fixture(params=["local", "local[2]"])
def sc(request: pytest.FixtureRequest) -> Iterator[SparkContext]:
    """In this process, and with workers."""
    with context(request.param) as made:
        yield made


@pytest.fixture
def workers() -> Iterator[SparkContext]:
    """With workers alone."""
    with context("local[2]") as made:
        yield made


@pytest.fixture
def ssc() -> Iterator[StreamingContext]:
    made = StreamingContext(context("local[2]"), 0.05)
    yield made
    made.stop()


@pytest.fixture
def stateful(ssc: StreamingContext, tmp_path: Path) -> StreamingContext:
    """With a checkpoint directory."""
    ssc.checkpoint(str(tmp_path / "checkpoint"))
    return ssc


@pytest.fixture
def submit(tmp_path: Path) -> Submitter:
    """Runs `millstream submit` in a process of its own."""
    return Submitter(tmp_path)
