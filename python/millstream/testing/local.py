"""``millstream local`` as a child of this process."""

from __future__ import annotations

import os
import re
import selectors
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from millstream.testing.faults import Faults

_REGION = "us-east-1"
_KEY = "local"


class LocalKinesisError(Exception):
    """The service did not start or did not stop."""


class LocalKinesis:
    """A running local Kinesis and DynamoDB."""

    def __init__(self, endpoint: str, process: subprocess.Popen[bytes]) -> None:
        self.endpoint = endpoint
        """Its URL, such as ``http://127.0.0.1:40211``."""
        self.faults = Faults(endpoint)
        """What goes wrong on demand."""
        self._process = process

    @property
    def client_settings(self) -> dict[str, Any]:
        """Arguments for a client of boto3: ``boto3.client("kinesis", **kinesis.client_settings)``."""
        return {
            "endpoint_url": self.endpoint,
            "region_name": _REGION,
            "aws_access_key_id": _KEY,
            "aws_secret_access_key": _KEY,
        }

    @property
    def environment(self) -> dict[str, str]:
        """Variables for a program that takes its settings from the environment, in any language."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": _REGION,
            "AWS_DEFAULT_REGION": _REGION,
            "AWS_ACCESS_KEY_ID": _KEY,
            "AWS_SECRET_ACCESS_KEY": _KEY,
        }

    @property
    def pid(self) -> int:
        """The process that serves."""
        return self._process.pid

    def stop(self, timeout: float = 20) -> None:
        """Lets the requests under way finish and ends the service.

        Raises:
            LocalKinesisError: it has not ended within ``timeout`` seconds, and was killed.
        """
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise LocalKinesisError(f"the local service did not stop within {timeout} s and was killed") from None
        finally:
            self._close()

    def kill(self) -> None:
        """Ends the service at once, as a crash would."""
        self._process.kill()
        self._process.wait()
        self._close()

    def _close(self) -> None:
        if self._process.stdout is not None:
            self._process.stdout.close()


@contextmanager
def local_kinesis(
    streams: Mapping[str, int] | None = None, arguments: Sequence[str] = (), timeout: float = 30
) -> Iterator[LocalKinesis]:
    """A local Kinesis on a free port that keeps everything in memory and ends with the block.

    Args:
        streams: the streams that there are from the start, with their numbers of shards.
        arguments: more arguments of ``millstream local``, such as ``["--enforce-limits"]``; with
            ``["--data-dir", path]`` what is put is kept.
        timeout: seconds that the start may take.

    Raises:
        LocalKinesisError: the service did not start.
    """
    kinesis = start(streams or {}, arguments, timeout)
    try:
        yield kinesis
    except BaseException:
        kinesis.kill()
        raise
    else:
        kinesis.stop()


def start(streams: Mapping[str, int], arguments: Sequence[str], timeout: float) -> LocalKinesis:
    """Starts the service and waits until it is ready; whoever calls this has to stop it."""
    keep = [] if "--data-dir" in arguments else ["--memory"]
    named = [f"--stream={name}:{shards}" for name, shards in streams.items()]
    command = [sys.executable, "-m", "millstream", "local", "--port", "0", *keep, *named, *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment)
    try:
        return LocalKinesis(_endpoint(process, time.monotonic() + timeout), process)
    except BaseException:
        process.kill()
        process.wait()
        raise


def _endpoint(process: subprocess.Popen[bytes], deadline: float) -> str:
    """The URL of the ready line."""
    assert process.stdout is not None
    line = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while b"\n" not in line:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise LocalKinesisError("the local service was not ready in time")
            piece = os.read(process.stdout.fileno(), 4096)
            if not piece:
                code = process.wait()
                raise LocalKinesisError(f"the local service did not start (exit code {code}); see its standard error")
            line += piece
    ready = re.search(rb"ready at (https?://[^\s]+)", line)
    if ready is None:
        raise LocalKinesisError(f"the local service said {line!r} in place of being ready")
    return ready.group(1).decode()
