"""What a function of an RDD operation raises."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from millstream.errors import PythonException


@contextmanager
def raises_in_task(
    kind: type[BaseException], match: str | None = None
) -> Iterator[pytest.ExceptionInfo[BaseException]]:
    """As `pytest.raises`; what was raised in a worker comes as the cause of a `PythonException`."""
    with pytest.raises((kind, PythonException), match=match) as caught:
        yield caught
    error = caught.value.__cause__ if isinstance(caught.value, PythonException) else caught.value
    assert isinstance(error, kind)
