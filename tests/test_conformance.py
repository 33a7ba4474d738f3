"""The conformance suites that need nothing but Python; `make conformance` runs the others, too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).parent / "conformance" / "run.py"


@pytest.mark.parametrize("suite", ["model", "python"])
def test_suite_passes(suite: str) -> None:
    done = subprocess.run([sys.executable, str(RUN), suite], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
