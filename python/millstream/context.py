"""The entry point of a program: makes RDDs and holds the configuration."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar

from millstream._version import PYSPARK_API
from millstream.accumulators import Accumulator, AccumulatorParam, AddingAccumulatorParam
from millstream.broadcast import Broadcast, BroadcastFiles
from millstream.callsite import user_call_site
from millstream.conf import SparkConf
from millstream.errors import IllegalArgumentException, IllegalStateException
from millstream.filereaders import FileReaders
from millstream.jobs import JobControl
from millstream.master import Master
from millstream.master import parse as parse_master
from millstream.rdd import RDD
from millstream.rdd.checkpoint import Checkpoints
from millstream.rdd.partitions import Slices, Union
from millstream.rdd.running import LocalRunner, Runner
from millstream.taskstate import check_on_driver, context_in_task
from millstream.unsupported import add_unsupported

if TYPE_CHECKING:
    from types import TracebackType

T = TypeVar("T")

_LOG_LEVELS = ("ALL", "DEBUG", "ERROR", "WARN", "INFO", "OFF", "FATAL", "TRACE")


class SparkContext(FileReaders, JobControl):
    """One program's context. Only one may be active in a process."""

    _active: ClassVar[SparkContext | None] = None
    _lock: ClassVar[Lock] = Lock()
    _accumulator_ids: ClassVar[Iterator[int]] = count()

    def __init__(
        self,
        master: str | None = None,
        appName: str | None = None,
        sparkHome: str | None = None,
        pyFiles: list[str] | None = None,
        environment: dict[str, Any] | None = None,
        batchSize: int = 0,
        serializer: Any = None,
        conf: SparkConf | None = None,
    ) -> None:
        """``master`` and ``appName`` go over ``conf``, which goes over what ``millstream submit`` was given.

        ``sparkHome``, ``environment``, ``batchSize`` and ``serializer`` have no meaning here.
        """
        check_on_driver()
        own = SparkConf().setAll(conf.getAll() if conf is not None else [])
        if master is not None:
            own.setMaster(master)
        if appName is not None:
            own.setAppName(appName)
        own.setIfMissing("spark.master", "local[*]").setIfMissing("spark.app.name", "millstream")
        own.setIfMissing("spark.app.id", f"local-{int(time.time() * 1000)}")
        self._conf = own
        master_url = parse_master(self.master)
        self._parallelism = self._positive("spark.default.parallelism", master_url.cores)
        self.startTime = int(time.time() * 1000)
        self._rdd_ids = count()
        self._broadcast_files = BroadcastFiles()
        self._checkpoints = Checkpoints()
        self._properties: dict[str, str] = {}
        self._stopped = False
        self._call_site = user_call_site()
        self._runner = self._make_runner(master_url)
        with SparkContext._lock:
            active = SparkContext._active
            if active is not None:
                raise ValueError(
                    "Cannot run multiple SparkContexts at once; existing SparkContext"
                    f"(app={active.appName}, master={active.master}) created by __init__ at {active._call_site} "
                )
            SparkContext._active = self
        for path in pyFiles or []:
            self.addPyFile(path)

    def _positive(self, key: str, default: int) -> int:
        setting = self._conf.get(key)
        if setting is None:
            return default
        if not setting.isdecimal() or int(setting) < 1:
            raise IllegalArgumentException(f"{key} must be a number above 0, not {setting!r}")
        return int(setting)

    def _make_runner(self, master: Master) -> Runner:
        if master.cores == 1:
            return LocalRunner()
        from millstream.rdd.stages import WorkerRunner
        from millstream.workers.pool import Pool
        from millstream.workers.tasks import Attempts

        dying = self._positive("spark.task.maxFailures", max(4, master.failures))
        return WorkerRunner(Pool(master.cores), Attempts(master.failures, dying))

    @classmethod
    def getOrCreate(cls, conf: SparkConf | None = None) -> SparkContext:
        """The active context, or a new one."""
        return cls._active or cls(conf=conf)

    def getConf(self) -> SparkConf:
        """A copy of the configuration."""
        return SparkConf(loadDefaults=False).setAll(self._conf.getAll())

    @property
    def master(self) -> str:
        """The master URL."""
        return self._conf.get("spark.master", "local[*]")

    @property
    def appName(self) -> str:
        """The program's name."""
        return self._conf.get("spark.app.name", "")

    @property
    def applicationId(self) -> str:
        """An identifier of this run."""
        return self._conf.get("spark.app.id", "")

    @property
    def version(self) -> str:
        """The version of PySpark whose API this is."""
        return PYSPARK_API

    @property
    def uiWebUrl(self) -> str | None:
        """The address of the web pages, while a `StreamingContext` runs that has some."""
        from millstream.streaming import StreamingContext

        ssc = StreamingContext.getActive()
        return ssc.uiWebUrl if ssc is not None and ssc.sparkContext is self else None

    @property
    def defaultParallelism(self) -> int:
        """``spark.default.parallelism``, or N of ``local[N]``."""
        return self._parallelism

    @property
    def defaultMinPartitions(self) -> int:
        """The number of partitions for small inputs."""
        return min(self._parallelism, 2)

    def sparkUser(self) -> str:
        """The user that runs the program."""
        return os.environ.get("SPARK_USER") or os.environ.get("USER") or str(os.getuid())

    def parallelize(self, c: Iterable[T], numSlices: int | None = None) -> RDD[T]:
        """The elements of ``c`` as an RDD of ``numSlices`` partitions (default `defaultParallelism`)."""
        partitions = self.defaultParallelism if numSlices is None else numSlices
        if partitions < 1:
            raise IllegalArgumentException(
                f"requirement failed: Positive number of partitions required, not {partitions}"
            )
        self._check_running()
        data = c if isinstance(c, (list, tuple, range, str, bytes)) else list(c)
        return RDD(Slices(data, partitions), self)

    def range(self, start: int, end: int | None = None, step: int = 1, numSlices: int | None = None) -> RDD[int]:
        """The numbers of Python's ``range`` as an RDD."""
        numbers = range(start) if end is None else range(start, end, step)
        return self.parallelize(numbers, numSlices)

    def emptyRDD(self) -> RDD[Any]:
        """An RDD without partitions."""
        return self.union([])

    def union(self, rdds: list[RDD[T]]) -> RDD[T]:
        """The partitions of all ``rdds``, one after the other."""
        return RDD(Union([rdd._node for rdd in rdds]), self)

    def broadcast(self, value: T) -> Broadcast[T]:
        """A variable that tasks may read."""
        self._check_running()
        return Broadcast(value, self._broadcast_files)

    def accumulator(self, value: T, accum_param: AccumulatorParam[T] | None = None) -> Accumulator[T]:
        """A sum that tasks may add to; numbers need no ``accum_param``."""
        self._check_running()
        adding: AccumulatorParam[Any] | None = accum_param
        if adding is None:
            if not isinstance(value, (int, float, complex)):
                raise TypeError(f"No default accumulator param for type {type(value)}")
            adding = AddingAccumulatorParam(type(value)())
        return Accumulator(next(SparkContext._accumulator_ids), value, adding)

    def setCheckpointDir(self, dirName: str) -> None:
        """Where `RDD.checkpoint` saves rows: in a new directory under ``dirName``."""
        self._checkpoints.set_directory(dirName)

    def getCheckpointDir(self) -> str | None:
        """The directory made by `setCheckpointDir`."""
        return self._checkpoints.directory

    def addPyFile(self, path: str) -> None:
        """Puts a ``.zip``, ``.egg`` or directory, or the directory of a ``.py`` file, on the import path."""
        place = os.path.abspath(path.removeprefix("file://"))
        if not os.path.exists(place):
            raise IllegalArgumentException(f"no such file for the import path: {path}")
        if place.endswith(".py"):
            place = os.path.dirname(place)
        if place not in sys.path:
            sys.path.insert(1, place)

    def setLogLevel(self, logLevel: str) -> None:
        """Accepts Spark's log levels. They have no effect: the log follows the environment variable ``RUST_LOG``."""
        if logLevel.upper() not in _LOG_LEVELS:
            raise IllegalArgumentException(
                f"requirement failed: Supplied level {logLevel} did not match one of: {','.join(_LOG_LEVELS)}"
            )

    def stop(self) -> None:
        """Ends the context and what runs in it; another one can be made after it."""
        self._stopped = True
        self._runner.close()
        self._broadcast_files.remove()
        with SparkContext._lock:
            if SparkContext._active is self:
                SparkContext._active = None

    def _check_running(self) -> None:
        check_on_driver()
        if self._stopped:
            raise IllegalStateException("Cannot call methods on a stopped SparkContext")

    def _next_rdd_id(self) -> int:
        return next(self._rdd_ids)

    def __reduce__(self) -> NoReturn:
        raise context_in_task()

    def __enter__(self) -> SparkContext:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<SparkContext master={self.master} appName={self.appName}>"


add_unsupported(
    SparkContext,
    """addArchive addFile addJobTag cancelJobGroup cancelJobsWithTag
    clearJobTags dump_profiles getJobTags getSystemProperty hadoopFile hadoopRDD newAPIHadoopFile
    newAPIHadoopRDD removeJobTag sequenceFile setInterruptOnCancel setJobGroup
    setSystemProperty show_profiles statusTracker""",
)
