"""The context of a streaming program: makes streams, runs them, stops them."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import warnings
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from millstream.callsite import user_call_site
from millstream.errors import (
    IllegalArgumentException,
    IllegalStateException,
    UnsupportedOperationException,
)
from millstream.rdd.save import local_path
from millstream.streaming.checkpointing import check_checkpoints
from millstream.streaming.datasets import datasets_of
from millstream.streaming.dstream import DStream
from millstream.streaming.graph import Graph
from millstream.streaming.grid import Grid
from millstream.streaming.rates import backpressure, max_rate
from millstream.streaming.saving import States
from millstream.streaming.settings import LONGEST_S, stop_timeout_ms, stops_gracefully, warn_of_unknown
from millstream.streaming.sources import Sources

if TYPE_CHECKING:
    from millstream._millstream import Dashboard, Engine, KinesisInput
    from millstream.context import SparkContext
    from millstream.streaming.listener import ListenerCalls, StreamingListener
    from millstream.streaming.operations import StreamOperations
    from millstream.streaming.source import Source

T = TypeVar("T")


class StreamingContext(Sources, Graph):
    """Streams in batches of ``batchDuration`` seconds. One context may run at a time in a process."""

    _active: ClassVar[StreamingContext | None] = None
    _lock: ClassVar[Lock] = Lock()

    def __init__(self, sparkContext: SparkContext | Any, batchDuration: float | None = None) -> None:
        """``sparkContext`` may be a ``pyspark.SparkContext`` of Spark 4: batches then become jobs on its RDDs."""
        assert batchDuration is not None, "batchDuration is needed"
        if not 0.001 <= batchDuration <= LONGEST_S:
            raise IllegalArgumentException(
                "requirement failed: Batch duration must be at least one millisecond and at most "
                f"{LONGEST_S} s, not {batchDuration} s"
            )
        from millstream import _millstream

        self._sc = sparkContext
        self._datasets = datasets_of(sparkContext)
        conf = sparkContext.getConf()
        warn_of_unknown(conf)
        self._graceful_at_exit = stops_gracefully(conf)
        self._batch_ms = int(batchDuration * 1000)
        self._engine: Engine = _millstream.Engine(
            self._batch_ms, stop_timeout_ms(conf), max_rate(conf), backpressure(conf)
        )
        self._grid = Grid(self._batch_ms)
        self._states = States()
        self._states.add("context", self._grid)
        #: Whether there is an operation that does not go without a checkpoint directory.
        self._stateful = False
        self._checkpointed: list[StreamOperations[Any]] = []
        self._directory: str | None = None
        #: What an earlier run has saved in the directory is of no interest.
        self._anew = True
        self._remember_ms: int | None = None
        self._kinesis: dict[str, tuple[str, ...]] = {}
        #: What each input reads, and whether something receives for it all the time.
        self._inputs: list[tuple[str, bool]] = []
        self._dashboard: Dashboard = _millstream.Dashboard(dict(conf.getAll()))
        self._ui_web_url: str | None = None
        self._listeners: list[ListenerCalls] = []
        self._outputs = 0
        self._started_at: str | None = None
        self._stopped = False
        self.checkpoint(conf.get("spark.streaming.checkpoint.directory"))
        if extra := conf.get("spark.streaming.extraListeners"):
            from millstream.streaming.listener import listeners_of

            for listener in listeners_of(extra, conf):
                self.addStreamingListener(listener)

    @property
    def sparkContext(self) -> SparkContext:
        """The context of the datasets."""
        return self._sc

    @property
    def uiWebUrl(self) -> str | None:
        """The address of the dashboard, while there is one. (A PySpark's own `uiWebUrl` is that of Spark's pages.)"""
        return self._ui_web_url

    @classmethod
    def getActive(cls) -> StreamingContext | None:
        """The context that runs in this process, if one does."""
        return cls._active

    @classmethod
    def getActiveOrCreate(
        cls, checkpointPath: str | None, setupFunc: Callable[[], StreamingContext]
    ) -> StreamingContext:
        """The running context, or as `getOrCreate`."""
        if not callable(setupFunc):
            raise TypeError("setupFunc should be callable.")
        return cls._active or cls.getOrCreate(checkpointPath, setupFunc)

    @classmethod
    def getOrCreate(cls, checkpointPath: str | None, setupFunc: Callable[[], StreamingContext]) -> StreamingContext:
        """What ``setupFunc`` returns; at its start it goes on from what an earlier run has saved in ``checkpointPath``.

        ``setupFunc`` is always called, since what is saved holds no code: it may be a new version of the program.
        """
        ssc = setupFunc()
        if checkpointPath is not None:
            ssc.checkpoint(checkpointPath)
            ssc._anew = False
        return ssc

    def _kinesis_stream(self, source: KinesisInput, app: str, *stream: str) -> DStream[Any]:
        """``stream``: its name, endpoint and region. One lease table holds the shards of one stream only, and those of
        two have the same names: the second stream would take the first one's leases for its own."""
        self._check_building()
        first = self._kinesis.setdefault(app, stream)
        if first != stream:
            raise IllegalArgumentException(
                f"the application {app} reads the stream {' '.join(first)} already, so it can't read "
                f"{' '.join(stream)} too: use another application name for the second stream"
            )
        self._inputs.append((f"Kinesis stream {stream[0]}", True))
        return DStream(self, self._engine.input_kinesis(source), self._batch_ms)

    def _input(self, source: Source) -> DStream[Any]:
        self._check_building()
        self._inputs.append((source.label, source.has_receiver))
        return DStream(self, self._engine.input_python(source), self._batch_ms)

    def _tell(self, callback: str, receiver: dict[str, Any]) -> None:
        error = receiver["last_error"]
        last_error = (error["time_ms"], error["message"], error["error"]) if error["time_ms"] >= 0 else None
        self._dashboard.receiver_changed(receiver["id"], receiver["name"], receiver["active"], last_error)
        for listener in self._listeners:
            listener.tell(callback, receiver)

    def start(self) -> None:
        """Starts the streams."""
        if self._stopped:
            raise IllegalStateException("StreamingContext has already been stopped")
        if self._started_at is not None:
            warnings.warn("StreamingContext has already been started", stacklevel=2)
            return
        if not self._outputs:
            raise IllegalArgumentException("requirement failed: No output operations registered, so nothing to execute")
        check_checkpoints(self._directory, self._stateful, self._checkpointed)
        self._datasets.check()
        with StreamingContext._lock:
            active = StreamingContext._active
            if active is not None:
                raise IllegalStateException(
                    "Only one StreamingContext may be started in this process. "
                    f"Currently running StreamingContext was started at {active._started_at}"
                )
            StreamingContext._active = self
        self._started_at = user_call_site()
        try:
            if self._directory is not None:
                self._engine.recover(self._directory, self._anew, self._states)
            self._show()
            self._engine.start()
        except BaseException:
            self.stop(stopSparkContext=False)
            raise
        atexit.register(self._stop_at_exit)

    def _show(self) -> None:
        """Serves the dashboard, unless it is not wanted or no port is free."""
        sc = self._sc
        self._ui_web_url = self._dashboard.start(
            self._engine,
            id=sc.applicationId,
            name=sc.appName,
            user=sc.sparkUser(),
            spark_version=sc.version,
            started_ms=sc.startTime,
            batch_ms=self._batch_ms,
            inputs=self._inputs,
        )
        if self._ui_web_url is not None and sys.stderr is not None and sys.stderr.isatty():
            print(f"millstream: the dashboard is at {self._ui_web_url}", file=sys.stderr)

    def awaitTermination(self, timeout: float | None = None) -> None:
        """Waits until the context is stopped, at most ``timeout`` seconds; raises the error of a batch that failed."""
        self.awaitTerminationOrTimeout(timeout)

    def awaitTerminationOrTimeout(self, timeout: float | None) -> bool:
        """As `awaitTermination`; returns whether the context was stopped within the time."""
        if self._started_at is None and not self._stopped:
            raise IllegalStateException("StreamingContext has not been started")
        return self._engine.await_termination(timeout)

    def stop(self, stopSparkContext: bool = True, stopGraceFully: bool = False) -> None:
        """Stops the streams, after all that was received has been processed if ``stopGraceFully``.

        May be called again, from any thread: a stop that is not graceful cuts a graceful one short.
        """
        self._stopped = True
        if stopSparkContext and not stopGraceFully:
            # The engine waits for the batch that runs: it is not to wait for a long function.
            self._datasets.cancel()
        try:
            self._engine.stop(stopGraceFully)
        finally:
            self._dashboard.stop()
            self._ui_web_url = None
            with StreamingContext._lock:
                if StreamingContext._active is self:
                    StreamingContext._active = None
            atexit.unregister(self._stop_at_exit)
            if stopSparkContext:
                self._sc.stop()

    def addStreamingListener(self, streamingListener: StreamingListener) -> None:
        """Tells the listener of all that happens to batches from now on."""
        from millstream.streaming.listener import ListenerCalls

        calls = ListenerCalls(streamingListener)
        self._listeners.append(calls)
        self._engine.add_listener(calls)

    def _stop_at_exit(self) -> None:
        # Nobody could catch a KeyboardInterrupt from here on: Ctrl-C ends the process at once.
        if callable(signal.getsignal(signal.SIGINT)):
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        self.stop(stopGraceFully=self._graceful_at_exit)

    def remember(self, duration: float) -> None:
        """Keeps the RDDs of the last ``duration`` seconds for `DStream.slice`."""
        if self._remember_ms is not None:
            raise IllegalArgumentException(
                f"requirement failed: Remember duration already set as {self._remember_ms} ms. Cannot set it again."
            )
        self._remember_ms = int(duration * 1000)

    def checkpoint(self, directory: str | None) -> None:
        """Where the state of the streams is saved with every batch; it is made if it is not there."""
        self._check_not_started("Cannot change the checkpoint directory")
        self._directory = None if directory is None else local_path(directory)
        if self._directory is not None:
            os.makedirs(self._directory, exist_ok=True)

    def _check_not_started(self, what: str) -> None:
        if self._started_at is not None or self._stopped:
            raise UnsupportedOperationException(f"{what} after streaming context has started")
