"""Partitions through a command of the system."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import IO, Any

from millstream.errors import PySparkRuntimeError


def piped(command: str, env: dict[str, str], check: bool, rows: Iterable[Any]) -> Iterator[str]:
    """The lines that ``command`` prints when it is given the rows as lines. It runs with ``env`` as its whole
    environment; with ``check``, an exit code other than 0 is an error."""
    from subprocess import PIPE, Popen
    from threading import Thread

    failures: list[BaseException] = []
    with Popen(shlex.split(command), env=env, stdin=PIPE, stdout=PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        writer = Thread(target=_write, args=(process.stdin, rows, failures), daemon=True)
        writer.start()
        try:
            for line in process.stdout:
                yield line.decode("utf-8").rstrip("\n")
        except GeneratorExit:
            process.kill()
            raise
        finally:
            # Nobody else may read the rows before the thread has ended.
            process.stdout.close()
            writer.join()
    if failures:
        raise failures[0]
    if check and process.returncode:
        raise PySparkRuntimeError(f"Pipe function `{command}' exited with error code {process.returncode}")


def _write(out: IO[bytes], rows: Iterable[Any], failures: list[BaseException]) -> None:
    # The command may end before it has read everything.
    with suppress(BrokenPipeError), out:
        try:
            for row in rows:
                out.write(str(row).rstrip("\n").encode("utf-8") + b"\n")
        except BrokenPipeError:
            raise
        except BaseException as error:
            failures.append(error)
