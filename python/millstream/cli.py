"""The command ``millstream``: ``submit`` runs a Python program here, all else is the native command line."""

from __future__ import annotations

import sys


def main(argv: list[str] | None = None) -> int:
    """Runs the command with ``argv`` (default: the process's own) and returns the exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    if arguments[:1] == ["submit"]:
        from millstream.submit import main as submit

        return submit(arguments[1:])
    from millstream import _millstream

    return _millstream.main(["millstream", *arguments])
