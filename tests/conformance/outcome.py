"""What a suite has to say."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path


class NotRun(Exception):
    """A suite needs something that is not on this machine; the message says what and how to get it."""


@dataclass
class Outcome:
    """Counts of a suite's tests; `excepted` ones are known to fail, each with its reason in a file."""

    passed: int = 0
    excepted: int = 0
    failures: list[str] = field(default_factory=list)

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(self.passed + other.passed, self.excepted + other.excepted, [*self.failures, *other.failures])


def command(arguments: list[str], cwd: Path, env: dict[str, str], seconds: float) -> str:
    """Runs a step that has to succeed, such as an installation; gives what it printed."""
    done = subprocess.run(
        arguments, cwd=cwd, env=env, timeout=seconds, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stdout[-4000:]}")
    return done.stdout


def steps(name: str, arguments: list[str], cwd: Path, env: dict[str, str], seconds: float) -> Outcome:
    """Runs a program that prints `ok STEP` for each step that it has checked, and `done` at the end."""
    try:
        done = subprocess.run(arguments, cwd=cwd, env=env, timeout=seconds, text=True, capture_output=True)
    except subprocess.TimeoutExpired as late:
        return Outcome(failures=[f"{name}: not done within {seconds} s: {(late.stdout or b'')[-2000:]!r}"])
    lines = done.stdout.splitlines()
    passed = sum(line.startswith("ok ") for line in lines)
    if done.returncode == 0 and lines[-1:] == ["done"]:
        return Outcome(passed)
    last = "\n".join([*lines[-20:], done.stderr[-4000:]])
    return Outcome(passed, failures=[f"{name}: ended with {done.returncode} after {passed} steps:\n{last}"])
