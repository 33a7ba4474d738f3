"""Running the submitted program as ``__main__`` of this process."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType, ModuleType

from millstream.conf import set_submitted
from millstream.master import is_cluster
from millstream.submit.arguments import Submission, SubmitError
from millstream.submit.pyspark_names import provide_pyspark, provide_streaming

#: The exit code of a process that was asked to end: 128 and the signal's number, as a shell counts.
_TERMINATED = 128 + signal.SIGTERM
_INTERRUPTED = 128 + signal.SIGINT


def launch(submission: Submission) -> int:
    """Runs the program; returns the exit code: 0, 1 when it raised, or what it gave to ``sys.exit``."""
    try:
        with open(submission.program, "rb") as file:
            code = compile(file.read(), os.path.abspath(submission.program), "exec", dont_inherit=True)
    except (OSError, SyntaxError, ValueError) as error:
        raise SubmitError(f"cannot read {submission.program}: {error}") from error
    settings = submission.settings()
    set_submitted(settings)
    if is_cluster(settings["spark.master"]):
        from millstream.submit.cluster import prepare

        prepare(submission)
        provide_streaming()
    else:
        provide_pyspark()
    main = _become(submission)
    signal.signal(signal.SIGTERM, _terminate)
    # A shell may have Ctrl-C ignored for a job in the background.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
    try:
        exec(code, main.__dict__)
    except SystemExit:
        raise
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BaseException as error:
        from millstream.submit.tracebacks import report

        report(error)
        return 1
    return 0


def _become(submission: Submission) -> ModuleType:
    """Makes the interpreter look as if the program had been started by ``python program arguments``."""
    main = ModuleType("__main__")
    main.__file__ = os.path.abspath(submission.program)
    main.__dict__["__builtins__"] = __builtins__
    sys.modules["__main__"] = main
    sys.argv = [main.__file__, *submission.arguments]
    files = submission.listed("py_files", "spark.submit.pyFiles")
    added = [_import_place(path) for path in files if not path.endswith(".whl")]
    own = 0 if sys.flags.safe_path else 1
    sys.path[:own] = [os.path.dirname(main.__file__), *added]
    return main


def _import_place(path: str) -> str:
    place = os.path.abspath(path.removeprefix("file://"))
    if not os.path.exists(place):
        raise SubmitError(f"no such file in --py-files: {path}")
    return os.path.dirname(place) if place.endswith(".py") else place


def _terminate(_number: int, _frame: FrameType | None) -> None:
    """SIGTERM ends the program as ``sys.exit`` would: the running streams stop and release their leases on the way
    (`StreamingContext`); a second one ends the process at once."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise SystemExit(_TERMINATED)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """Ctrl-C raises KeyboardInterrupt in the program, as ever; a second one ends the process at once, also while the
    streams stop."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    raise KeyboardInterrupt
