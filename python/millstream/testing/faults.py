"""Faults on demand, by the control interface of ``millstream local``."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack


class Where(TypedDict, total=False):
    """Which requests a fault happens to; what is left out does not matter."""

    operation: str
    """Such as ``GetRecords`` or ``UpdateItem``."""
    stream: str
    """The name of a Kinesis stream."""
    shard: str
    """The id of a shard, for requests that name one, themselves or by their iterator."""
    times: int
    """To how many requests it happens; without, to all until it is removed."""
    probability: float
    """To which share of the requests, from 0 to 1; see :meth:`Faults.seed`."""


@dataclass(frozen=True)
class Fault:
    """A fault in force."""

    id: int
    """By which :meth:`Faults.remove` takes it away."""
    used: int
    """To how many requests it has happened."""
    settings: dict[str, Any]
    """Its kind and what it applies to, as the control interface has it; ``times`` are those that are left."""


class FaultsError(Exception):
    """The service refused a fault, or did not answer."""


class Faults:
    """The faults of a local service. Of those that apply to a request, the one that was injected first happens."""

    def __init__(self, endpoint: str) -> None:
        self._url = f"{endpoint}/_millstream/faults"

    def error(self, code: str, *, status: int = 400, message: str | None = None, **where: Unpack[Where]) -> int:
        """Answers with an AWS error code, such as ``InternalFailure``, and does not carry out the request.

        Returns the number of the fault, as all of these methods do.
        """
        text = {} if message is None else {"message": message}
        return self._inject("error", where, code=code, status=status, **text)

    def throttle(self, **where: Unpack[Where]) -> int:
        """Answers with ProvisionedThroughputExceededException."""
        return self._inject("throttle", where)

    def expired_iterator(self, **where: Unpack[Where]) -> int:
        """Answers with ExpiredIteratorException."""
        return self._inject("expired_iterator", where)

    def latency(self, seconds: float, **where: Unpack[Where]) -> int:
        """Carries out the request after a delay."""
        return self._inject("latency", where, milliseconds=round(seconds * 1000))

    def drop_connection(self, **where: Unpack[Where]) -> int:
        """Closes the connection without an answer and does not carry out the request."""
        return self._inject("drop_connection", where)

    def truncate(self, after: int, **where: Unpack[Where]) -> int:
        """Carries out the request and cuts its answer off after so many bytes."""
        return self._inject("truncate", where, after=after)

    def stop_event_stream(self, after: int, **where: Unpack[Where]) -> int:
        """Closes the connection of a SubscribeToShard after so many messages, the initial response included."""
        return self._inject("stop_event_stream", where, after=after)

    def seed(self, seed: int) -> None:
        """Begins the random numbers behind ``probability`` anew, so that a test can be repeated."""
        self._call("PUT", "", {"seed": seed})

    def list(self) -> list[Fault]:
        """The faults in force, in the order in which they were injected."""
        return [Fault(fault["id"], fault["used"], fault["fault"]) for fault in self._call("GET", "")["faults"]]

    def remove(self, fault: int) -> None:
        """Removes a fault by its number.

        Raises:
            FaultsError: it is not in force, because it was removed or has happened as often as it should.
        """
        self._call("DELETE", f"/{fault}")

    def clear(self) -> None:
        """Removes all faults."""
        self._call("DELETE", "")

    def _inject(self, kind: str, where: Where, **settings: Any) -> int:
        return int(self._call("POST", "", {"kind": kind, **where, **settings})["id"])

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(
            self._url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with _OPENER.open(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                raise FaultsError(json.load(refused)["error"]) from None
        except OSError as error:
            raise FaultsError(f"no answer from {self._url}: {error}") from error


# The service is on this machine: a proxy of the environment is not for it.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
