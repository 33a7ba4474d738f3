"""Runs the conformance suites named on the command line, or all, and prints their counts.

A suite is a module with `run() -> Outcome`. One that lacks something on this machine is not run, and said so; that is a
failure only if it was named.
"""

from __future__ import annotations

import importlib
import sys
import time
import traceback

from outcome import NotRun, Outcome

SUITES = {
    "model": "model.suite",
    "python": "sdk.python.suite",
    "javascript": "sdk.javascript.suite",
    "java1": "sdk.java1.suite",
    "java2": "sdk.java2.suite",
    "kcl": "kcl.suite",
    "kinesalite": "kinesalite.suite",
}


def main(names: list[str]) -> int:
    unknown = sorted(set(names) - set(SUITES))
    if unknown:
        print(f"no such suite: {', '.join(unknown)}; there are {', '.join(SUITES)}", file=sys.stderr)
        return 2
    bad = False
    rows = []
    for name in names or SUITES:
        began = time.monotonic()
        try:
            outcome = importlib.import_module(SUITES[name]).run()
        except NotRun as reason:
            rows.append((name, "not run", str(reason)))
            bad |= bool(names)
            continue
        except Exception:
            outcome = Outcome(failures=[traceback.format_exc()])
        for failure in outcome.failures:
            print(f"FAILED {name}: {failure}\n")
        counts = f"{outcome.passed} passed, {len(outcome.failures)} failed"
        if outcome.excepted:
            counts += f", {outcome.excepted} excepted"
        rows.append((name, counts, f"{time.monotonic() - began:.0f} s"))
        bad |= bool(outcome.failures) or not outcome.passed
    for name, counts, note in rows:
        print(f"{name:12} {counts:40} {note}")
    return int(bad)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
