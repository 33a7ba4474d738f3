"""The round with the AWS SDK for JavaScript 3."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from outcome import NotRun, Outcome, command, steps
from service import WORK, environment, local

HERE = Path(__file__).parent


def run() -> Outcome:
    if not shutil.which("npm"):
        raise NotRun("npm is not installed")
    work = WORK / "javascript"
    work.mkdir(parents=True, exist_ok=True)
    for name in "package.json", "package-lock.json", "round.mjs":
        shutil.copy(HERE / name, work / name)
    command(["npm", "ci", "--no-audit", "--no-fund"], work, dict(os.environ), 600)
    with local() as endpoint:
        return steps("javascript", ["node", "round.mjs"], work, environment(AWS_ENDPOINT_URL=endpoint), 120)
