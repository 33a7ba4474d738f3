"""The pytest fixture ``local_kinesis``.

A project takes it in its ``conftest.py``::

    from millstream.testing.plugin import local_kinesis

It is not registered by itself: every run of pytest would load Millstream, also where no test needs it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from millstream.testing.local import LocalKinesis
from millstream.testing.local import local_kinesis as _local_kinesis

__all__ = ["local_kinesis"]


@pytest.fixture
def local_kinesis() -> Iterator[LocalKinesis]:
    """A local Kinesis and DynamoDB for one test, empty and in memory."""
    with _local_kinesis() as kinesis:
        yield kinesis
