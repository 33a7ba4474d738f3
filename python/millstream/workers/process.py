"""One worker process, seen from the main process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress

#: The worker's first lines: they know nothing but where the modules are.
_START = (
    "import sys; descriptor, parent, *sys.path[:] = sys.argv[1:]; "
    "from millstream.workers.worker import main; main(int(descriptor), int(parent))"
)


class Worker:
    """A spawned interpreter that runs none of the program but the functions it is sent. It is in a process group of its
    own, so that Ctrl-C reaches the main process alone, which decides."""

    def __init__(self) -> None:
        self.connection, theirs = socket.socketpair()
        self.connection.setblocking(False)
        with theirs:
            # Hashes of strings must be the same in all workers: they decide where keys go.
            environment = {"PYTHONHASHSEED": "0", **os.environ}
            if environment["PYTHONHASHSEED"] == "random":
                environment["PYTHONHASHSEED"] = "0"
            # Without a buffer, the words of lines that several workers print would mix; they are sent line by line.
            environment.pop("PYTHONUNBUFFERED", None)
            flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
            arguments = [str(theirs.fileno()), str(os.getpid()), *sys.path]
            self._process = subprocess.Popen(
                [sys.executable, *flags, "-c", _START, *arguments],
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env=environment,
                process_group=0,
            )

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def kill(self) -> None:
        """Kills the process and those it has started."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def dismiss(self) -> None:
        """Lets an idle worker end by itself."""
        self.connection.close()

    def reap(self, grace_s: float) -> str:
        """Waits for the end, and brings it about after ``grace_s`` seconds; returns how the process ended."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(grace_s)
        self.kill()
        code = self._process.wait()
        self.connection.close()
        return f"exit code {code}" if code >= 0 else f"signal {-code} ({signal.Signals(-code).name})"

    def abandon(self) -> None:
        """Forgets a worker that belongs to the process this one was forked from."""
        self.connection.close()
        self._process.returncode = 0
