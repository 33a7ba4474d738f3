"""Whether the code that runs now is a task: a function of an RDD operation, not the program around it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from millstream.errors import PySparkRuntimeError

_state = threading.local()
_is_worker = False

_CONTEXT = (
    "[CONTEXT_ONLY_VALID_ON_DRIVER] It appears that you are attempting to reference SparkContext from a broadcast "
    "variable, action, or transformation. SparkContext can only be used on the driver, not in code that it run on "
    "workers. For more information, see SPARK-5063."
)
_RDD = (
    "[RDD_TRANSFORM_ONLY_VALID_ON_DRIVER] It appears that you are attempting to broadcast an RDD or reference an RDD "
    "from an action or transformation. RDD transformations and actions can only be invoked by the driver, not inside "
    "of other transformations; for example, rdd1.map(lambda x: rdd2.values.count() * x) is invalid because the values "
    "transformation and count action cannot be performed inside of the rdd1.map transformation. For more information, "
    "see SPARK-5063."
)


def become_worker() -> None:
    """All code of this process is tasks from now on."""
    global _is_worker
    _is_worker = True


def in_worker() -> bool:
    """Whether this is a worker process."""
    return _is_worker


@contextmanager
def task() -> Iterator[None]:
    """Marks what this thread does in its body as a task."""
    _state.depth = getattr(_state, "depth", 0) + 1
    try:
        yield
    finally:
        _state.depth -= 1


@contextmanager
def driver() -> Iterator[None]:
    """Marks what this thread does in its body as the program's own, also within a task."""
    depth, _state.depth = getattr(_state, "depth", 0), 0
    try:
        yield
    finally:
        _state.depth = depth


def in_task() -> bool:
    """Whether this thread runs a task."""
    return _is_worker or getattr(_state, "depth", 0) > 0


def check_on_driver() -> None:
    """Raises Spark's error if the context is used in a task."""
    if in_task():
        raise context_in_task()


def context_in_task() -> PySparkRuntimeError:
    """The error for a use of the context in a task."""
    return PySparkRuntimeError(_CONTEXT, "CONTEXT_ONLY_VALID_ON_DRIVER")


def rdd_in_task() -> PySparkRuntimeError:
    """The error for a use of an RDD in a task."""
    return PySparkRuntimeError(_RDD, "RDD_TRANSFORM_ONLY_VALID_ON_DRIVER")
