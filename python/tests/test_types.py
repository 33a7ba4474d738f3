"""The types of the public members: a program that uses them all passes ``mypy --strict``."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import millstream
from millstream import RDD, SparkContext
from millstream.streaming import DStream, Receiver, State, StateSpec, StreamingContext
from millstream.streaming.map_with_state import MapWithStateDStream

pytest.importorskip("mypy")

PROGRAM = Path(__file__).resolve().parent / "typed_program.py"


def public(owner: type) -> set[str]:
    """The members of a class but those that raise NotImplementedError."""
    names = (name for name in dir(owner) if not name.startswith("_"))
    return {name for name in names if not (getattr(owner, name).__doc__ or "").startswith("PySpark's `")}


OWNERS = [SparkContext, RDD, StreamingContext, DStream, State, StateSpec, MapWithStateDStream, Receiver]


@pytest.mark.parametrize("owner", OWNERS)
def test_the_typed_program_uses_every_public_member(owner: type) -> None:
    used = set(re.findall(r"\.(\w+)", PROGRAM.read_text()))
    assert public(owner) - used == set(), f"add them to {PROGRAM.name}"


def test_the_typed_program_passes_mypy_strict(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", str(tmp_path)]
    package = Path(millstream.__file__).parent
    done = subprocess.run(
        [*command, "--python-executable", sys.executable, str(PROGRAM)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"MYPYPATH": str(package.parent)} if "site-packages" not in str(package) else None,
    )
    assert done.stdout == ""
    assert done.returncode == 0, done.stderr
