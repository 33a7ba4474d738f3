"""Configuration of a program: string keys and string values, in the order they were set."""

from __future__ import annotations

from typing import Any, overload

_submitted: dict[str, str] = {}


def set_submitted(settings: dict[str, str]) -> None:
    """Makes ``settings`` the defaults of every `SparkConf` made from now on in this process (``submit`` does)."""
    _submitted.clear()
    _submitted.update(settings)


class SparkConf:
    """Settings of a `SparkContext`; all setters return the object, so that calls can be chained."""

    def __init__(self, loadDefaults: bool = True) -> None:
        """``loadDefaults``: begin with what ``millstream submit`` was given, if it started this program."""
        self._settings: dict[str, str] = dict(_submitted) if loadDefaults else {}

    def set(self, key: str, value: Any) -> SparkConf:
        """Sets one key; the value is kept as its string."""
        self._settings[key] = str(value)
        return self

    def setIfMissing(self, key: str, value: Any) -> SparkConf:
        """Sets one key unless it is set already."""
        if key not in self._settings:
            self.set(key, value)
        return self

    def setAll(self, pairs: list[tuple[str, Any]]) -> SparkConf:
        """Sets several keys."""
        for key, value in pairs:
            self.set(key, value)
        return self

    def setMaster(self, value: str) -> SparkConf:
        """Sets ``spark.master``."""
        return self.set("spark.master", value)

    def setAppName(self, value: str) -> SparkConf:
        """Sets ``spark.app.name``."""
        return self.set("spark.app.name", value)

    def setSparkHome(self, value: str) -> SparkConf:
        """Sets ``spark.home``, which nothing here reads."""
        return self.set("spark.home", value)

    def setExecutorEnv(
        self,
        key: str | None = None,
        value: str | None = None,
        pairs: list[tuple[str, str]] | None = None,
    ) -> SparkConf:
        """Sets environment variables of executors, either one (``key``, ``value``) or several (``pairs``)."""
        if (key is not None) == (pairs is not None):
            raise ValueError("either one key and value or a list of pairs is needed, not both")
        for name, setting in pairs if pairs is not None else [(key, value)]:
            self.set(f"spark.executorEnv.{name}", setting)
        return self

    @overload
    def get(self, key: str) -> str | None: ...
    @overload
    def get(self, key: str, defaultValue: str) -> str: ...
    @overload
    def get(self, key: str, defaultValue: None) -> str | None: ...
    def get(self, key: str, defaultValue: str | None = None) -> str | None:
        """The value of ``key``, or ``defaultValue``."""
        return self._settings.get(key, defaultValue)

    def getAll(self) -> list[tuple[str, str]]:
        """All pairs."""
        return list(self._settings.items())

    def contains(self, key: str) -> bool:
        """Whether ``key`` is set."""
        return key in self._settings

    def toDebugString(self) -> str:
        """All pairs, one ``key=value`` a line, sorted."""
        return "\n".join(f"{key}={value}" for key, value in sorted(self._settings.items()))
