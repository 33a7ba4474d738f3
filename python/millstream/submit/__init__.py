"""``millstream submit``: runs a PySpark program in this process, with the flags of ``spark-submit``."""

from __future__ import annotations

import os
import sys

from millstream.submit.arguments import USAGE, Submission, SubmitError, parse

__all__ = ["main"]


def main(argv: list[str]) -> int:
    """Runs ``submit`` with its arguments; returns the exit code (1 for bad arguments and for a failed program)."""
    try:
        submission = parse(argv)
        if submission.action == "help":
            _tell(USAGE)
            return 0
        if submission.action == "version":
            from millstream._version import PYSPARK_API, __version__

            _tell(f"millstream {__version__} (API of PySpark {PYSPARK_API})")
            return 0
        return _run(submission)
    except SubmitError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1


def _tell(text: str) -> None:
    """Prints to standard output; that its reader has gone, as in ``| head``, is no failure."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # The interpreter flushes once more when it ends, and would say that it can't.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(submission: Submission) -> int:
    from millstream.submit.launch import launch
    from millstream.submit.served import check

    for note in check(submission):
        print(f"millstream: {note}", file=sys.stderr)
    if submission.verbose:
        for key, value in sorted(submission.settings().items()):
            print(f"millstream: {key}={value}", file=sys.stderr)
    return launch(submission)
