"""Uses every public member of the contexts, of RDDs and of streams, with the types that a user would write.

`test_types.py` checks it with ``mypy --strict``; it is not run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from millstream import RDD, SparkConf, SparkContext, StorageLevel
from millstream.kcl import (
    AsyncCheckpointer,
    AsyncPreparedCheckpoint,
    AsyncRecordProcessor,
    AsyncWorker,
    Checkpointer,
    CheckpointError,
    InitializeInput,
    LeaseLostInput,
    PreparedCheckpoint,
    ProcessRecordsInput,
    Record,
    RecordProcessor,
    Settings,
    ShardEndedInput,
    ShutdownRequestedInput,
    Stream,
    Worker,
)
from millstream.kinesis_client import ClientSettings, MissingRecords, Range
from millstream.rdd import ResultIterable
from millstream.streaming import DStream, Receiver, State, StateSpec, StreamingContext, StreamingListener


def context() -> SparkContext:
    sc = SparkContext("local[2]", "typed", conf=SparkConf().set("k", "v"))
    sc = SparkContext.getOrCreate(sc.getConf())
    texts: list[str] = [sc.master, sc.appName, sc.applicationId, sc.version, sc.sparkUser()]
    numbers: list[int] = [sc.defaultParallelism, sc.defaultMinPartitions]
    optional: list[str | None] = [sc.uiWebUrl, sc.getLocalProperty("k"), sc.getCheckpointDir()]
    total = sc.accumulator(0)
    total += len(texts) + len(numbers) + len(optional)
    words = sc.broadcast({"a": 1})
    counted: int = words.value["a"] + total.value
    sc.addPyFile("x.py")
    sc.setLogLevel("WARN")
    sc.setLocalProperty("k", str(counted))
    sc.setJobDescription("x")
    sc.setCheckpointDir("/tmp/x")
    sc.cancelAllJobs()
    lines: list[RDD[Any]] = [sc.textFile("x"), sc.pickleFile("x"), sc.emptyRDD()]
    named: RDD[tuple[str, Any]] = sc.wholeTextFiles("x")
    data: RDD[tuple[str, bytes]] = sc.binaryFiles("x")
    records: RDD[bytes] = sc.binaryRecords("x", 4)
    both: RDD[int] = sc.union([sc.parallelize([1], 2), sc.range(10)])
    print(lines, named, data, records, both)
    return sc


def datasets(sc: SparkContext) -> None:
    rdd: RDD[int] = sc.parallelize([1, 2, 3])
    pairs: RDD[tuple[str, int]] = rdd.map(lambda n: (str(n), n))
    same: list[RDD[int]] = [
        rdd.filter(lambda n: n > 1),
        rdd.cache(),
        rdd.persist(StorageLevel.MEMORY_ONLY),
        rdd.unpersist(),
        rdd.setName("x"),
        rdd.coalesce(1),
        rdd.repartition(2),
        rdd.distinct(),
        rdd.intersection(rdd),
        rdd.subtract(rdd),
        rdd.sample(False, 0.5, 1),
        rdd.sortBy(lambda n: -n),
        *rdd.randomSplit([0.5, 0.5]),
        pairs.values(),
    ]
    texts: list[RDD[str]] = [rdd.flatMap(lambda n: str(n)), pairs.keys(), rdd.pipe("cat")]
    each: RDD[float] = rdd.mapPartitions(lambda rows: (row / 2 for row in rows))
    indexed: RDD[int] = rdd.mapPartitionsWithIndex(lambda index, rows: [index + len(list(rows))])
    split: RDD[int] = rdd.mapPartitionsWithSplit(lambda index, rows: [index])
    lists: RDD[list[int]] = rdd.glom()
    keyed: RDD[tuple[str, int]] = rdd.keyBy(str)
    joined: RDD[int | str] = rdd.union(texts[0])
    products: RDD[tuple[int, str]] = rdd.cartesian(texts[0])
    zipped: RDD[tuple[int, str]] = rdd.zip(texts[0])
    numbered: list[RDD[tuple[int, int]]] = [rdd.zipWithIndex(), rdd.zipWithUniqueId()]
    groups: RDD[tuple[bool, ResultIterable[int]]] = rdd.groupBy(lambda n: n > 1)
    rows: RDD[Any] = rdd.map_batches(lambda batch: batch)
    print(split, same, each, indexed, lists, keyed, joined, products, zipped, numbered, groups, rows)


def pairs_of(pairs: RDD[tuple[str, int]], others: RDD[tuple[str, float]]) -> None:
    same: list[RDD[tuple[str, int]]] = [
        pairs.reduceByKey(lambda a, b: a + b),
        pairs.foldByKey(0, lambda a, b: a + b),
        pairs.partitionBy(2),
        pairs.sortByKey(False),
        pairs.sampleByKey(True, {"a": 0.5}, 1),
        pairs.subtractByKey(others),
        pairs.repartitionAndSortWithinPartitions(2),
    ]
    texts: list[RDD[tuple[str, str]]] = [pairs.mapValues(str), pairs.flatMapValues(lambda n: str(n))]
    combined: list[RDD[tuple[str, list[int]]]] = [
        pairs.combineByKey(lambda n: [n], lambda ns, n: [*ns, n], lambda a, b: a + b),
        pairs.aggregateByKey([0], lambda ns, n: [*ns, n], lambda a, b: a + b),
    ]
    groups: RDD[tuple[str, ResultIterable[int]]] = pairs.groupByKey()
    sides: RDD[tuple[str, tuple[ResultIterable[int], ResultIterable[float]]]] = pairs.cogroup(others)
    many: RDD[tuple[str, tuple[ResultIterable[Any], ...]]] = pairs.groupWith(others, others)
    inner: RDD[tuple[str, tuple[int, float]]] = pairs.join(others)
    left: RDD[tuple[str, tuple[int, float | None]]] = pairs.leftOuterJoin(others)
    right: RDD[tuple[str, tuple[int | None, float]]] = pairs.rightOuterJoin(others)
    full: RDD[tuple[str, tuple[int | None, float | None]]] = pairs.fullOuterJoin(others)
    maps: list[dict[str, int]] = [
        pairs.collectAsMap(),
        pairs.countByKey(),
        pairs.reduceByKeyLocally(lambda a, b: a + b),
    ]
    values: list[int] = pairs.lookup("a")
    print(same, texts, combined, groups, sides, many, inner, left, right, full, maps, values)


def actions(rdd: RDD[int]) -> None:
    lists: list[list[int]] = [rdd.collect(), rdd.take(1), rdd.top(1), rdd.takeOrdered(1), rdd.takeSample(False, 1)]
    ones: list[int] = [
        rdd.first(),
        rdd.count(),
        rdd.reduce(lambda a, b: a + b),
        rdd.fold(0, lambda a, b: a + b),
        rdd.treeReduce(lambda a, b: a + b),
        rdd.max(),
        rdd.min(),
        rdd.id(),
        rdd.getNumPartitions(),
        rdd.sum(),
    ]
    texts: list[str] = [
        rdd.aggregate("", lambda text, n: text + str(n), lambda a, b: a + b),
        rdd.treeAggregate("", lambda text, n: text + str(n), lambda a, b: a + b),
    ]
    numbers: list[float] = [
        rdd.mean(),
        rdd.variance(),
        rdd.stdev(),
        rdd.sampleVariance(),
        rdd.sampleStdev(),
        rdd.stats().mean(),
    ]
    counts: dict[int, int] = rdd.countByValue()
    bounds: tuple[list[Any], list[int]] = rdd.histogram(3)
    exact: list[int] = [rdd.countApprox(100), rdd.countApproxDistinct()]
    bounded: list[float] = [rdd.sumApprox(100), rdd.meanApprox(100), rdd.sumApprox(100).low]
    run: list[str] = rdd.ctx.runJob(rdd, lambda rows: map(str, rows), [0])
    iterator: Iterator[int] = rdd.toLocalIterator()
    flags: list[bool] = [rdd.isEmpty(), rdd.is_cached, rdd.isCheckpointed(), rdd.isLocallyCheckpointed()]
    names: list[str | None] = [rdd.name(), rdd.getCheckpointFile()]
    described: bytes = rdd.toDebugString()
    level: StorageLevel = rdd.getStorageLevel()
    frames: list[Any] = [rdd.to_arrow(), rdd.to_pandas(), rdd.to_polars(), rdd.toDF(["n"])]
    rdd.foreach(lambda n: print(n + 1))
    rdd.foreachPartition(lambda rows: print(sum(rows)))
    rdd.saveAsTextFile("x")
    rdd.saveAsPickleFile("x")
    rdd.checkpoint()
    rdd.localCheckpoint()
    print(
        exact,
        bounded,
        run,
        lists,
        ones,
        texts,
        numbers,
        counts,
        bounds,
        iterator,
        flags,
        names,
        described,
        level,
        frames,
        rdd.context,
    )


def streams(ssc: StreamingContext) -> DStream[tuple[str, int]]:
    shown: str | None = ssc.uiWebUrl
    assert shown is None
    lines: list[DStream[str]] = [ssc.socketTextStream("localhost", 9), ssc.textFileStream("x")]
    records: DStream[bytes] = ssc.binaryRecordsStream("x", 4)
    queued: DStream[int] = ssc.queueStream([[1], [2]])
    sizes: DStream[int] = ssc.fileStream("x", lambda path: [len(path)], lambda path: True, newFilesOnly=False)
    received: DStream[str] = ssc.receiverStream(Ticks())
    words: DStream[str] = ssc.union(*lines).flatMap(lambda line: line.split(" "))
    mixed: DStream[Any] = ssc.transform([words, records], lambda rdds: rdds[0])
    same: list[DStream[str]] = [
        words.filter(lambda word: word != ""),
        words.reduce(lambda a, b: a + b),
        words.repartition(2),
        words.cache(),
        words.persist(StorageLevel.MEMORY_ONLY),
        words.window(2, 1),
        words.reduceByWindow(lambda a, b: a + b, None, 2, 1),
        words.checkpoint(10),
        words.mapPartitions(lambda rows: sorted(rows)),
        words.transform(lambda rdd: rdd),
        words.transformWith(lambda rdd, other: rdd, queued),
    ]
    counts: DStream[int] = words.count()
    in_windows: list[DStream[int]] = [words.countByWindow(2, 1), counts]
    by_value: DStream[tuple[str, int]] = words.countByValueAndWindow(2, 1)
    sliced: list[RDD[str]] = words.slice(datetime.now(), 0.0)
    lists: DStream[list[str]] = words.glom()
    indexed: DStream[int] = words.mapPartitionsWithIndex(lambda index, rows: [index])
    joined: DStream[str | int] = words.union(queued)
    counted: DStream[tuple[str, int]] = words.countByValue()
    pairs: DStream[tuple[str, int]] = words.map(lambda word: (word, 1))
    print(
        sizes,
        received,
        mixed,
        same,
        in_windows,
        by_value,
        sliced,
        counts,
        lists,
        indexed,
        joined,
        counted,
        words.context(),
    )
    return pairs


def add_up(values: list[int], total: float | None) -> float | None:
    return sum(values, total or 0.0)


def longest(key: str, value: int | None, state: State[int]) -> str:
    if not state.isTimingOut() and value is not None:
        state.update(max(value, state.get() if state.exists() else 0))
    elif state.getOption() is None:
        state.remove()
    return f"{key} {state}"


def timed(time: datetime, key: str, value: int | None, state: State[int]) -> float | None:
    return None if value is None else time.timestamp()


def with_states(pairs: DStream[tuple[str, int]]) -> None:
    known: list[tuple[str, int]] = [("a", 1)]
    spec = StateSpec.function(longest).timeout(60).initialState(known).numPartitions(2)
    mapped = pairs.mapWithState(spec)
    texts: DStream[str] = mapped
    states: DStream[tuple[str, int]] = mapped.stateSnapshots()
    times: DStream[float] = pairs.mapWithState(StateSpec.function(timed))
    print(texts, states, times)


def pair_streams(pairs: DStream[tuple[str, int]], others: DStream[tuple[str, float]]) -> None:
    same: list[DStream[tuple[str, int]]] = [
        pairs.reduceByKey(lambda a, b: a + b),
        pairs.partitionBy(2),
        pairs.reduceByKeyAndWindow(lambda a, b: a + b, None, 2, 1),
        pairs.reduceByKeyAndWindow(lambda a, b: a + b, lambda a, b: a - b, 2, filterFunc=lambda pair: pair[1] > 0),
    ]
    in_windows: DStream[tuple[str, ResultIterable[int]]] = pairs.groupByKeyAndWindow(2, 1)
    initial: list[tuple[str, float]] = [("a", 0.5)]
    states: DStream[tuple[str, float]] = pairs.updateStateByKey(add_up, 2, initial)
    texts: list[DStream[tuple[str, str]]] = [pairs.mapValues(str), pairs.flatMapValues(lambda n: str(n))]
    combined: DStream[tuple[str, list[int]]] = pairs.combineByKey(
        lambda n: [n], lambda ns, n: [*ns, n], lambda a, b: a + b
    )
    groups: DStream[tuple[str, ResultIterable[int]]] = pairs.groupByKey()
    sides: DStream[tuple[str, tuple[ResultIterable[int], ResultIterable[float]]]] = pairs.cogroup(others)
    inner: DStream[tuple[str, tuple[int, float]]] = pairs.join(others)
    left: DStream[tuple[str, tuple[int, float | None]]] = pairs.leftOuterJoin(others)
    right: DStream[tuple[str, tuple[int | None, float]]] = pairs.rightOuterJoin(others)
    full: DStream[tuple[str, tuple[int | None, float | None]]] = pairs.fullOuterJoin(others)
    print(same, in_windows, states, texts, combined, groups, sides, inner, left, right, full)


class Ticks(Receiver[str]):
    def onStart(self) -> None:
        self.store(f"{self.streamId} {self.isStarted()}")
        self.storeAll(["a", "b"])
        self.reportError("x", ValueError())
        self.restart("x", None, 10)

    def onStop(self) -> None:
        if self.isStopped():
            self.stop("x")


def by_hand(ticks: Ticks) -> None:
    ticks.onStart()
    ticks.onStop()


class Listener(StreamingListener):
    def onBatchCompleted(self, batchCompleted: Any) -> None:
        print(batchCompleted.batchInfo().numRecords())


def show(time: datetime, rdd: RDD[tuple[str, int]]) -> None:
    print(time.isoformat(), rdd.collect())


class Processor(RecordProcessor):
    def initialize(self, initialize_input: InitializeInput) -> None:
        print(initialize_input.shard_id, initialize_input.sequence_number, initialize_input.sub_sequence_number)
        pending: bytes | None = initialize_input.pending_state
        print(pending, initialize_input.pending_sequence_number, initialize_input.pending_sub_sequence_number)

    def process_records(self, process_records_input: ProcessRecordsInput[Checkpointer]) -> None:
        records: list[Record] = process_records_input.records
        last = records[-1]
        times: list[datetime] = [record.approximate_arrival_timestamp for record in records]
        print(times, last.data, last.partition_key, process_records_input.millis_behind_latest, len(records))
        try:
            process_records_input.checkpointer.checkpoint(last.sequence_number, last.sub_sequence_number)
        except CheckpointError as error:
            print(error.value)

    def lease_lost(self, lease_lost_input: LeaseLostInput) -> None:
        print(lease_lost_input)

    def shard_ended(self, shard_ended_input: ShardEndedInput[Checkpointer]) -> None:
        prepared: PreparedCheckpoint = shard_ended_input.checkpointer.prepare_checkpoint(state=b"x")
        print(prepared.sequence_number, prepared.sub_sequence_number)
        prepared.checkpoint()

    def shutdown_requested(self, shutdown_requested_input: ShutdownRequestedInput[Checkpointer]) -> None:
        shutdown_requested_input.checkpointer.checkpoint()


class AsyncProcessor(AsyncRecordProcessor):
    async def process_records(self, process_records_input: ProcessRecordsInput[AsyncCheckpointer]) -> None:
        prepared: AsyncPreparedCheckpoint = await process_records_input.checkpointer.prepare_checkpoint("1", 2, b"x")
        await prepared.checkpoint()
        await process_records_input.checkpointer.checkpoint()


async def processors(settings: Settings) -> None:
    worker = Worker(Processor, settings)
    worker.set_streams(["a", Stream("b", "LATEST")])
    worker.run()
    worker.stop()
    background = AsyncWorker(AsyncProcessor, settings)
    background.set_streams([Stream("b")])
    await background.run()


def main(words: Iterable[str]) -> None:
    sc = context()
    datasets(sc)
    ssc = StreamingContext.getActiveOrCreate(None, lambda: StreamingContext(sc, 1))
    ssc = StreamingContext.getActive() or StreamingContext.getOrCreate(None, lambda: ssc)
    assert ssc.sparkContext is sc
    ssc.remember(10)
    ssc.checkpoint("x")
    pairs = streams(ssc)
    pair_streams(pairs, pairs.mapValues(float))
    with_states(pairs)
    pairs.pprint(5)
    pairs.saveAsTextFiles("x", "txt")
    pairs.foreachRDD(show)
    ssc.addStreamingListener(Listener())
    ssc.start()
    ended: bool = ssc.awaitTerminationOrTimeout(1)
    ssc.awaitTermination(1)
    ssc.stop(stopSparkContext=ended, stopGraceFully=True)
    sc.stop()


def ranges() -> int:
    settings = ClientSettings(region="us-east-1", endpoint="http://127.0.0.1:4566", read_interval_ms=200)
    wanted = Range("shardId-000000000000", "49:0", "50:3", 12)
    try:
        return sum(len(block) for block in wanted.read(settings, "words"))
    except MissingRecords as missing:
        return missing.missing
