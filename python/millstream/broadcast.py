"""Broadcast variables: values that tasks may read.

In the main process one holds the value itself. The first time that it goes to a worker process it is written to a file,
which each worker reads once.
"""

from __future__ import annotations

import os
from threading import Lock
from typing import TYPE_CHECKING, Any, BinaryIO, Generic, TypeVar, cast

from millstream.errors import PySparkRuntimeError
from millstream.taskstate import in_worker

if TYPE_CHECKING:
    import tempfile

T = TypeVar("T")


class Broadcast(Generic[T]):
    """A value that tasks may read; made by `SparkContext.broadcast`."""

    def __init__(self, value: T, files: BroadcastFiles | None = None) -> None:
        self._value = value
        self._files = files or BroadcastFiles()
        self._path: str | None = None
        self._destroyed = False

    @property
    def value(self) -> T:
        """The value. It stays readable in the program after `unpersist` and `destroy`, as in PySpark."""
        return self._value

    def unpersist(self, blocking: bool = False) -> None:
        """Drops the workers' copies; they get new ones when they need them."""
        self._check_on_driver("CANNOT_UNPERSIST_BROADCAST", "unpersisted")
        if self._path is not None:
            os.unlink(self._path)
            self._path = None

    def destroy(self, blocking: bool = False) -> None:
        """Drops all copies: no task can use the variable from now on."""
        self._check_on_driver("CANNOT_DESTROY_BROADCAST", "destroyed")
        self.unpersist()
        self._destroyed = True

    def dump(self, value: T, f: BinaryIO) -> None:
        """Writes a value as it goes to workers, and closes the file."""
        from millstream.rdd.packing import pack

        with f:
            f.write(pack(value))

    def load(self, file: BinaryIO) -> T:
        """The value that `dump` has written."""
        return cast(T, _load(file))

    def load_from_path(self, path: str) -> T:
        """The value in a file that `dump` has written."""
        with open(path, "rb") as file:
            return self.load(file)

    def _check_on_driver(self, condition: str, done: str) -> None:
        if in_worker():
            raise PySparkRuntimeError(f"[{condition}] Broadcast can only be {done} in driver.", condition)

    def __reduce__(self) -> tuple[Any, ...]:
        if self._destroyed:
            raise PySparkRuntimeError("Attempted to use Broadcast after it was destroyed")
        if self._path is None:
            self._path = self._files.write(self._value)
        return _received, (self._path,)


class BroadcastFiles:
    """The files of a context's broadcast variables, in a directory that is made with the first of them."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._directory: tempfile.TemporaryDirectory[str] | None = None

    def write(self, value: Any) -> str:
        """Writes a value and returns its file's name."""
        import tempfile

        from millstream.rdd.packing import pack

        with self._lock:
            if self._directory is None:
                self._directory = tempfile.TemporaryDirectory(prefix="millstream-broadcast-")
        with tempfile.NamedTemporaryFile(dir=self._directory.name, delete=False) as file:
            file.write(pack(value))
        return file.name

    def remove(self) -> None:
        """Removes all files."""
        with self._lock:
            if self._directory is not None:
                self._directory.cleanup()
                self._directory = None


class _Received(Broadcast[T]):
    """In a worker: reads its value when it is first asked for."""

    def __init__(self, path: str) -> None:
        self._path = path

    @property
    def value(self) -> T:
        """The value."""
        return cast(T, _value_in(cast(str, self._path)))

    def __reduce__(self) -> tuple[Any, ...]:
        return _received, (self._path,)


#: In a worker: the values it has read, by their files.
_values: dict[str, Any] = {}


def _received(path: str) -> Broadcast[Any]:
    return _Received(path)


def _value_in(path: str) -> Any:
    if path not in _values:
        with open(path, "rb") as file:
            _values[path] = _load(file)
    return _values[path]


def _load(file: BinaryIO) -> Any:
    from millstream.rdd.packing import unpack

    return unpack(file.read())


def forget_destroyed() -> None:
    """In a worker: drops the values whose files are gone, because they were unpersisted or destroyed."""
    for path in [path for path in _values if not os.path.exists(path)]:
        del _values[path]


def remove_files() -> None:
    """In a worker whose main process is gone: removes the files that it knows of."""
    import shutil

    for directory in {os.path.dirname(path) for path in _values}:
        shutil.rmtree(directory, ignore_errors=True)
