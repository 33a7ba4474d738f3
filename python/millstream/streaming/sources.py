"""The streams that a context makes of Python's own inputs. (Kinesis streams are made by `KinesisUtils`.)"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from millstream.errors import IllegalArgumentException
from millstream.storagelevel import StorageLevel
from millstream.streaming.settings import buffer_bytes, remember_files_ms, restart_delay_ms

if TYPE_CHECKING:
    from millstream.context import SparkContext
    from millstream.rdd import RDD
    from millstream.streaming.datasets import Datasets
    from millstream.streaming.dstream import DStream
    from millstream.streaming.receiver import Receiver
    from millstream.streaming.source import Source

T = TypeVar("T")


class Sources(ABC):
    """``storageLevel`` changes no result: what waits for a batch waits in memory, and it is bounded."""

    _sc: SparkContext
    _datasets: Datasets
    _batch_ms: int
    #: Of each input, what it reads and whether it has a receiver.
    _inputs: list[tuple[str, bool]]

    @abstractmethod
    def _input(self, source: Source) -> DStream[Any]: ...

    @abstractmethod
    def _tell(self, callback: str, receiver: dict[str, Any]) -> None: ...

    def queueStream(
        self,
        rdds: Iterable[RDD[T]] | Iterable[Iterable[T]],
        oneAtATime: bool = True,
        default: RDD[T] | Iterable[T] | None = None,
    ) -> DStream[T]:
        """A stream from a queue of RDDs or lists, one a batch, then ``default`` or nothing."""
        from millstream.streaming.queue import QueueSource

        queue = [self._as_rdd(rdd) for rdd in rdds]
        last = None if default is None else self._as_rdd(default)
        return self._input(QueueSource(self._sc, queue, oneAtATime, last))

    def socketTextStream(
        self, hostname: str, port: int, storageLevel: StorageLevel = StorageLevel.MEMORY_AND_DISK_2
    ) -> DStream[str]:
        """The lines that a server on a TCP port sends, in UTF-8. A connection that ends is made again."""
        from millstream.streaming.socket_text import SocketReceiver

        return self.receiverStream(SocketReceiver(hostname, port))

    def receiverStream(self, receiver: Receiver[T]) -> DStream[T]:
        """The elements that a receiver stores. Each stream needs a receiver of its own."""
        from millstream.streaming.receiver_source import Limits, ReceiverSource

        if receiver._supervisor is not None:
            raise IllegalArgumentException("a receiver feeds one stream: make another one for a second stream")
        conf = self._sc.getConf()
        limits = Limits(buffer_bytes(conf), restart_delay_ms(conf))
        return self._input(ReceiverSource(self._sc, receiver, len(self._inputs), limits, self._tell))

    def textFileStream(self, directory: str) -> DStream[str]:
        """The lines of the text files that are moved into a directory, or into those that a pattern names."""
        from millstream.rdd.files import text_lines

        return self.fileStream(directory, text_lines)

    def fileStream(
        self,
        directory: str,
        reader: Callable[[str], Iterable[T]],
        filter: Callable[[str], Any] | None = None,
        newFilesOnly: bool = True,
    ) -> DStream[T]:
        """What ``reader(path)`` makes of each of the files that are moved into a directory.

        ``filter(path)`` says which ones count; by default those whose names begin with neither a dot nor an underscore.
        Without ``newFilesOnly``, files of the last ``spark.streaming.fileStream.minRememberDuration`` before the start
        are read too.
        """
        from millstream.streaming.directory import DirectorySource, is_visible

        remember_ms = remember_files_ms(self._sc.getConf(), self._batch_ms)
        accepts = filter or is_visible
        return self._input(DirectorySource(self._datasets, directory, remember_ms, reader, accepts, newFilesOnly))

    def binaryRecordsStream(self, directory: str, recordLength: int) -> DStream[bytes]:
        """The records of ``recordLength`` bytes of the files that are moved into a directory."""
        from millstream.rdd.files import fixed_records

        return self.fileStream(directory, fixed_records(recordLength))

    def _as_rdd(self, data: Any) -> RDD[Any]:
        return data if self._datasets.owns(data) else self._sc.parallelize(data)
