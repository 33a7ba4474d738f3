"""`millstream local` for a suite, and what its clients need to reach it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "target" / "conformance"
MILLSTREAM = os.environ.get("MILLSTREAM") or str(Path(sys.executable).parent / "millstream")
REGION = "us-east-1"


def environment(**changes: str) -> dict[str, str]:
    """This process's environment without what would lead to AWS, with test credentials and `changes`."""
    base = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    credentials = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return base | credentials | {"MILLSTREAM": MILLSTREAM} | changes


@contextmanager
def local(*arguments: str) -> Iterator[str]:
    """A service in memory on a free port; gives its endpoint."""
    process = subprocess.Popen(
        [MILLSTREAM, "local", "--memory", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    try:
        assert process.stdout is not None
        ready = re.search(r"http://\S+", process.stdout.readline())
        assert ready is not None, "the local service did not say that it is ready"
        yield ready.group()
    finally:
        process.terminate()
        process.wait(timeout=30)
