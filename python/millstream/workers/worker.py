"""The program of a worker process: computes one task after the other until the main process closes the socket."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time

from millstream import taskstate
from millstream.accumulators import take_sums
from millstream.broadcast import forget_destroyed, remove_files
from millstream.rdd.packing import pack, unpack
from millstream.workers import frames
from millstream.workers.computing import Inputs, Leaf
from millstream.workers.frames import Channel, Failure, Order

#: Seconds between two looks at whether the main process is alive; an idle worker learns it from its socket at once.
_LOOK_EVERY_S = 0.25


def _serve(channel: Channel) -> None:
    while True:
        _kind, order = channel.read()
        _run(channel, unpack(order))


def _run(channel: Channel, order: Order) -> None:
    _follow(order)
    _kind, job = channel.read()
    Leaf.inputs = inputs = Inputs(channel, order.inputs)
    forget_destroyed()
    take_sums()
    try:
        node, work = unpack(job)
        results: list[bytes] = work(node, order.partition)
        sums = pack(take_sums())
    except BaseException as error:
        failure = _describe(error)
        inputs.skip()
        _flush()
        channel.write(frames.FAILED, failure)
        return
    inputs.skip()
    _flush()
    for result in results:
        channel.write(frames.PART, result)
    channel.write(frames.DONE, sums)


def _follow(order: Order) -> None:
    if sys.path != order.path:
        sys.path[:] = order.path
    if order.provides_pyspark:
        from millstream.submit.pyspark_names import provide_pyspark

        provide_pyspark()


def _describe(error: BaseException) -> bytes:
    import traceback

    from millstream.submit.tracebacks import strip_chain

    strip_chain(error)
    text = "".join(traceback.format_exception(error)).rstrip()
    try:
        packed = pack(Failure(text, error))
        unpack(packed)
    except Exception:
        return pack(Failure(text, None))
    return packed


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        # A program may close them, and a reader may go away: neither is the task's failure.
        try:
            stream.flush()
        except (OSError, ValueError):
            continue


def _die_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY_S)
    remove_files()
    os.killpg(0, signal.SIGKILL)


def main(connection: int, parent: int) -> None:
    """Runs the worker on an inherited socket; ``parent`` is the main process, without which it does not live on."""
    taskstate.become_worker()
    threading.Thread(target=_die_with, args=(parent,), name="millstream-parent", daemon=True).start()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(line_buffering=True)
    # So that collections do not look at what was imported again and again.
    gc.freeze()
    try:
        _serve(Channel(connection))
    except (EOFError, ConnectionError):
        remove_files()
