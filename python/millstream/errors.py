"""The exceptions that programs see, under the names of ``pyspark.errors``."""

from __future__ import annotations

__all__ = [
    "AnalysisException",
    "IllegalArgumentException",
    "IllegalStateException",
    "NoSuchElementException",
    "PySparkException",
    "PySparkImportError",
    "PySparkNotImplementedError",
    "PySparkRuntimeError",
    "PySparkTypeError",
    "PySparkValueError",
    "PythonException",
    "SparkRuntimeException",
    "StreamingQueryException",
    "UnsupportedOperationException",
]


class PySparkException(Exception):
    """The base of all errors of this package: a message, and PySpark's accessors for it."""

    def __init__(
        self,
        message: str | None = None,
        errorClass: str | None = None,
        messageParameters: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message or errorClass or "")
        self._error_class = errorClass
        self._parameters = dict(messageParameters or {})

    def getCondition(self) -> str | None:
        """The name of the error condition, if it has one."""
        return self._error_class

    def getErrorClass(self) -> str | None:
        """The older name of `getCondition`."""
        return self._error_class

    def getMessageParameters(self) -> dict[str, str]:
        """The values that were put into the message."""
        return dict(self._parameters)

    def getMessage(self) -> str:
        """The message."""
        return str(self)


class AnalysisException(PySparkException):
    """A request that cannot be planned."""


class IllegalArgumentException(PySparkException):
    """An argument or a setting that is not valid."""


class IllegalStateException(PySparkException):
    """A call at the wrong moment, such as adding a stream to a context that runs."""


class NoSuchElementException(PySparkException, LookupError):
    """A question for something that is not there."""


class PythonException(PySparkException):
    """A failure in a function of the program."""


class SparkRuntimeException(PySparkException):
    """A failure while a job runs."""


class StreamingQueryException(PySparkException):
    """A failure that ended a streaming computation."""


class UnsupportedOperationException(PySparkException):
    """An operation that does not exist for this object in this state."""


class PySparkImportError(PySparkException, ImportError):
    """A package that is needed and not there."""


class PySparkNotImplementedError(PySparkException, NotImplementedError):
    """A part of PySpark's API that Millstream does not have."""


class PySparkRuntimeError(PySparkException, RuntimeError):
    """A general failure."""


class PySparkTypeError(PySparkException, TypeError):
    """An argument of the wrong type."""


class PySparkValueError(PySparkException, ValueError):
    """An argument of the right type with a wrong value."""
