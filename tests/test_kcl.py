"""The lifecycle of the record processors of `millstream.kcl`, in this process."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from conftest import REGION, Feed, Service, wait_until
from millstream.errors import IllegalArgumentException
from millstream.kcl import (
    AsyncCheckpointer,
    AsyncRecordProcessor,
    AsyncWorker,
    Checkpointer,
    CheckpointOutOfRangeError,
    InitializeInput,
    LeaseLostError,
    LeaseLostInput,
    ProcessRecordsInput,
    Record,
    RecordProcessor,
    Settings,
    ShardEndedInput,
    ShutdownRequestedInput,
    Stream,
    Worker,
)

SHARD = "shardId-000000000000"


@pytest.fixture
def stream(service: Service) -> str:
    return service.stream(1)


@pytest.fixture
def settings(service: Service, app: str, stream: str) -> Settings:
    return Settings(
        application_name=app,
        stream_name=stream,
        region_name=REGION,
        endpoint_url=service.endpoint,
        access_key="test",
        secret_key="test",
    )


class Journal:
    """What the processors of one worker were told, and their records."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.records: list[Record] = []


class Processor(RecordProcessor):
    def __init__(
        self, journal: Journal, process: Callable[[ProcessRecordsInput[Checkpointer]], None] | None = None
    ) -> None:
        self.journal = journal
        self.process = process

    def initialize(self, initialize_input: InitializeInput) -> None:
        self.journal.events.append(f"initialize {initialize_input.shard_id} {initialize_input.sequence_number}")

    def process_records(self, process_records_input: ProcessRecordsInput[Checkpointer]) -> None:
        self.journal.records += process_records_input.records
        if self.process is not None:
            self.process(process_records_input)

    def lease_lost(self, lease_lost_input: LeaseLostInput) -> None:
        self.journal.events.append("lease_lost")

    def shard_ended(self, shard_ended_input: ShardEndedInput[Checkpointer]) -> None:
        self.journal.events.append("shard_ended")

    def shutdown_requested(self, shutdown_requested_input: ShutdownRequestedInput[Checkpointer]) -> None:
        self.journal.events.append("shutdown_requested")


class Running:
    """A worker in a thread of its own."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.worker.run()
        except BaseException as error:
            self.error = error

    def stop(self) -> None:
        self.worker.stop()
        self.thread.join(30)
        assert not self.thread.is_alive()


def run_until(condition: Callable[[], object], worker: Worker) -> BaseException | None:
    """Runs the worker until `condition`; returns what it raised."""
    running = Running(worker)
    try:
        wait_until("the worker gets there", lambda: condition() or running.error is not None, 30)
    finally:
        running.stop()
    return running.error


def test_settings_do_not_show_what_is_secret(settings: Settings) -> None:
    shown = repr(settings._replace(secret_key="hidden-key", external_id="hidden-id"))
    assert "hidden" not in shown and settings.application_name in shown


def test_records_come_whole_and_the_worker_ends_in_order(service: Service, settings: Settings) -> None:
    journal = Journal()
    feed = Feed(service, settings.stream_name, keys=1)
    feed.put(rounds=3)
    assert run_until(lambda: len(journal.records) == 3, Worker(lambda: Processor(journal), settings)) is None
    assert journal.events == [f"initialize {SHARD} TRIM_HORIZON", "shutdown_requested"]
    first = journal.records[0]
    assert (first.data, first.binary_data, first.partition_key, first.sub_sequence_number) == (
        b"key0:0",
        b"key0:0",
        "key0",
        0,
    )
    assert journal.records[-1].sequence_number == feed.last[SHARD]
    assert abs(datetime.now(UTC) - first.approximate_arrival_timestamp) < timedelta(minutes=5)
    assert service.leases(settings.application_name)[SHARD]["checkpoint"] == "TRIM_HORIZON", "nothing asked for it"


def test_metrics_go_to_cloudwatch_under_the_names_of_the_kcl_when_asked_for(
    service: Service, settings: Settings
) -> None:
    Feed(service, settings.stream_name, keys=1).put(rounds=3)
    journal = Journal()
    reported = settings._replace(metrics_level="SUMMARY", metrics_enabled_dimensions=["Operation", "ShardId"])
    assert run_until(lambda: len(journal.records) == 3, Worker(lambda: Processor(journal), reported)) is None
    with urllib.request.urlopen(f"{service.endpoint}/_millstream/metrics", timeout=10) as answer:
        told = str([point for point in json.load(answer)["metrics"] if point["namespace"] == settings.application_name])
    assert "RecordsProcessed" in told and SHARD in told and "CurrentLeases" in told, told
    assert "WorkerIdentifier" not in told and "TotalLeases" not in told, told
    with pytest.raises(IllegalArgumentException, match="metricsLevel=ALL"):
        Worker(lambda: Processor(journal), settings._replace(metrics_level="ALL"))


def test_detailed_metrics_tell_how_long_calls_took(service: Service, settings: Settings) -> None:
    feed = Feed(service, settings.stream_name, keys=1)
    feed.put(rounds=3)
    reported = settings._replace(metrics_level="DETAILED", failover_time=1.0)
    worker = Worker(lambda: Processor(Journal(), lambda given: given.checkpointer.checkpoint()), reported)

    def is_processed_and_renewed() -> bool:
        lease = service.leases(settings.application_name).get(SHARD, {})
        return lease.get("checkpoint") == feed.last[SHARD] and int(lease.get("leaseCounter", "0")) > 5

    assert run_until(is_processed_and_renewed, worker) is None
    with urllib.request.urlopen(f"{service.endpoint}/_millstream/metrics", timeout=10) as answer:
        points = [point for point in json.load(answer)["metrics"] if point["namespace"] == settings.application_name]
    of_calls = {point["name"] for point in points if point["name"].endswith((".Time", ".Success"))}
    assert of_calls == {
        "KinesisDataFetcher.getRecords.Success",
        "KinesisDataFetcher.getRecords.Time",
        "KinesisDataFetcher.getShardIterator.Success",
        "KinesisDataFetcher.getShardIterator.Time",
        "RecordProcessor.processRecords.Time",
        "RenewLease.Success",
        "RenewLease.Time",
        "UpdateLease.Success",
        "UpdateLease.Time",
    }


def test_a_checkpoint_at_a_record_is_where_the_next_worker_goes_on(service: Service, settings: Settings) -> None:
    Feed(service, settings.stream_name, keys=1).put(rounds=3)

    def second_record(given: ProcessRecordsInput[Checkpointer]) -> None:
        record = given.records[1]
        given.checkpointer.checkpoint(record.sequence_number, record.sub_sequence_number)
        with pytest.raises(CheckpointOutOfRangeError, match=SHARD) as refused:
            given.checkpointer.checkpoint(given.records[0].sequence_number)
        assert refused.value.value == "IllegalArgumentException"

    journal = Journal()
    assert run_until(lambda: journal.records, Worker(lambda: Processor(journal, second_record), settings)) is None
    journal = Journal()
    assert run_until(lambda: journal.records, Worker(lambda: Processor(journal), settings)) is None
    assert [record.data for record in journal.records] == [b"key0:2"]


def test_a_prepared_checkpoint_is_told_to_the_next_worker_and_ended_by_a_checkpoint(
    service: Service, settings: Settings
) -> None:
    Feed(service, settings.stream_name, keys=1).put(rounds=3)
    began: list[InitializeInput] = []

    class Begins(Processor):
        def initialize(self, initialize_input: InitializeInput) -> None:
            began.append(initialize_input)

    def prepare(given: ProcessRecordsInput[Checkpointer]) -> None:
        record = given.records[1]
        prepared = given.checkpointer.prepare_checkpoint(record.sequence_number, state=b"half done")
        assert (prepared.sequence_number, prepared.sub_sequence_number) == (record.sequence_number, 0)

    journal = Journal()
    assert run_until(lambda: journal.records, Worker(lambda: Begins(journal, prepare), settings)) is None
    assert began[0].pending_sequence_number is None and began[0].pending_state is None
    second = journal.records[1]

    def write(given: ProcessRecordsInput[Checkpointer]) -> None:
        given.checkpointer.prepare_checkpoint().checkpoint()

    journal = Journal()
    assert run_until(lambda: journal.records, Worker(lambda: Begins(journal, write), settings)) is None
    assert began[1].sequence_number == "TRIM_HORIZON"
    assert (began[1].pending_sequence_number, began[1].pending_sub_sequence_number, began[1].pending_state) == (
        second.sequence_number,
        0,
        b"half done",
    )
    lease = service.leases(settings.application_name)[SHARD]
    assert lease["checkpoint"] == journal.records[-1].sequence_number and "pendingCheckpoint" not in lease


def test_several_streams_are_read_added_and_removed(service: Service, app: str) -> None:
    streams = [service.stream(1) for _ in range(3)]
    for stream in streams:
        Feed(service, stream, keys=1).put(rounds=1)
    settings = Settings(
        application_name=app,
        streams=[streams[0], Stream(streams[1], "LATEST")],
        region_name=REGION,
        endpoint_url=service.endpoint,
        access_key="test",
        secret_key="test",
    )
    began: list[str] = []

    class Begins(Processor):
        def initialize(self, initialize_input: InitializeInput) -> None:
            began.append(initialize_input.stream_name)

    journal = Journal()
    running = Running(Worker(lambda: Begins(journal), settings))
    try:
        wait_until("two streams are read", lambda: sorted(began) == sorted(streams[:2]), 30)
        wait_until("the oldest record of one", lambda: len(journal.records) == 1, 30)
        running.worker.set_streams(streams[1:])
        wait_until("one more is read", lambda: streams[2] in began and len(journal.records) == 2, 30)
        wait_until("one is given back", lambda: journal.events == ["shutdown_requested"], 30)
    finally:
        running.stop()
    assert running.error is None
    names = {key.split(":")[1] for key in service.leases(app)}
    assert names == set(streams), "a lease names its stream"


def test_one_sign_of_life_is_in_the_lease_table_while_a_worker_runs(service: Service, settings: Settings) -> None:
    Feed(service, settings.stream_name, keys=1).put(rounds=1)
    journal = Journal()

    def sessions() -> list[str]:
        key = {"leaseKey": {"S": "millstreamSessions"}}
        row = service.client("dynamodb").get_item(TableName=settings.application_name, Key=key)["Item"]
        return [name for name in row if name.startswith("session:")]

    running = Running(Worker(lambda: Processor(journal), settings._replace(heartbeat="worker")))
    try:
        wait_until("a record", lambda: journal.records, 30)
        assert len(sessions()) == 1
    finally:
        running.stop()
    assert running.error is None and sessions() == [], "it ends in order"
    with pytest.raises(IllegalArgumentException, match="neither lease nor worker"):
        Worker(lambda: Processor(journal), settings._replace(heartbeat="table"))  # type: ignore[arg-type]


def test_one_stream_or_several(settings: Settings) -> None:
    with pytest.raises(IllegalArgumentException, match="either stream_name or streams"):
        Worker(lambda: Processor(Journal()), settings._replace(streams=["a"]))
    with pytest.raises(IllegalArgumentException, match="reads one stream"):
        Worker(lambda: Processor(Journal()), settings).set_streams(["a"])


def test_what_a_processor_raises_ends_the_worker_and_nothing_is_passed_over(
    service: Service, settings: Settings
) -> None:
    Feed(service, settings.stream_name, keys=1).put(rounds=3)

    def fail(given: ProcessRecordsInput[Checkpointer]) -> None:
        raise RuntimeError("a full disk")

    journal = Journal()
    error = run_until(lambda: False, Worker(lambda: Processor(journal, fail), settings))
    assert isinstance(error, RuntimeError) and error.args == ("a full disk",)
    journal = Journal()
    assert run_until(lambda: journal.records, Worker(lambda: Processor(journal), settings)) is None
    assert len(journal.records) == 3


def test_the_end_of_a_shard_must_be_checkpointed(service: Service, settings: Settings) -> None:
    kinesis = service.client("kinesis")
    kinesis.split_shard(StreamName=settings.stream_name, ShardToSplit=SHARD, NewStartingHashKey=str(2**127))
    journal = Journal()
    error = run_until(lambda: False, Worker(lambda: Processor(journal), settings))
    assert error is not None and "shard_ended" in str(error) and SHARD in str(error)


def test_the_checkpoint_of_a_worker_that_lost_its_lease_is_refused(service: Service, settings: Settings) -> None:
    refused: list[LeaseLostError] = []

    def steal(given: ProcessRecordsInput[Checkpointer]) -> None:
        service.client("dynamodb").update_item(
            TableName=settings.application_name,
            Key={"leaseKey": {"S": SHARD}},
            UpdateExpression="SET leaseOwner = :thief ADD leaseCounter :many",
            ExpressionAttributeValues={":thief": {"S": "thief"}, ":many": {"N": "100"}},
        )
        try:
            given.checkpointer.checkpoint()
        except LeaseLostError as error:
            refused.append(error)
            raise

    Feed(service, settings.stream_name, keys=1).put(rounds=1)
    journal = Journal()
    worker = Worker(lambda: Processor(journal, steal), settings)
    assert run_until(lambda: "lease_lost" in journal.events, worker) is None
    assert refused[0].value == "ShutdownException"
    assert service.leases(settings.application_name)[SHARD]["checkpoint"] == "TRIM_HORIZON"


def test_a_processor_of_coroutines_runs_on_the_loop(service: Service, settings: Settings) -> None:
    feed = Feed(service, settings.stream_name, keys=1)
    feed.put(rounds=3)

    async def run() -> list[bytes]:
        seen: list[bytes] = []
        loop = asyncio.get_running_loop()

        class AsyncProcessor(AsyncRecordProcessor):
            async def process_records(self, process_records_input: ProcessRecordsInput[AsyncCheckpointer]) -> None:
                assert asyncio.get_running_loop() is loop
                seen.extend(record.data for record in process_records_input.records)
                await process_records_input.checkpointer.checkpoint()
                if len(seen) == 3:
                    worker.stop()

        worker = AsyncWorker(AsyncProcessor, settings)
        await asyncio.wait_for(worker.run(), 30)
        return seen

    assert asyncio.run(run()) == [b"key0:0", b"key0:1", b"key0:2"]
    assert feed.checkpointed(service, settings.application_name)


@pytest.fixture
def four_shards(service: Service, settings: Settings) -> Settings:
    stream = f"{settings.stream_name}-of-four"
    service.client("kinesis").create_stream(StreamName=stream, ShardCount=4)
    return settings._replace(stream_name=stream)


def test_no_more_processors_are_called_at_a_time_than_may_be(service: Service, four_shards: Settings) -> None:
    lock, gate, journal = threading.Lock(), threading.Event(), Journal()
    inside = most = 0

    class Waits(Processor):
        def initialize(self, initialize_input: InitializeInput) -> None:
            nonlocal inside, most
            with lock:
                inside += 1
                most = max(most, inside)
            assert gate.wait(30)
            with lock:
                inside -= 1
            super().initialize(initialize_input)

    def has_all_shards() -> bool:
        owners = service.owners(four_shards.application_name)
        return "" not in owners and sum(map(len, owners.values())) == 4

    running = Running(Worker(lambda: Waits(journal), four_shards._replace(max_threads=2)))
    try:
        wait_until("the worker has all shards", has_all_shards, 30)
        wait_until("two processors are called", lambda: inside == 2, 30)
        gate.set()
        wait_until("all have been called", lambda: len(journal.events) == 4, 30)
    finally:
        gate.set()
        running.stop()
    assert running.error is None
    assert most == 2
    with pytest.raises(IllegalArgumentException, match="max_threads=0"):
        Worker(lambda: Processor(journal), four_shards._replace(max_threads=0))


def test_coroutines_that_wait_keep_no_thread(four_shards: Settings) -> None:
    async def run() -> None:
        inside, all_inside = 0, asyncio.Event()

        class Waits(AsyncRecordProcessor):
            async def initialize(self, initialize_input: InitializeInput) -> None:
                nonlocal inside
                inside += 1
                if inside == 4:
                    all_inside.set()
                    worker.stop()
                await all_inside.wait()

            async def process_records(self, process_records_input: ProcessRecordsInput[AsyncCheckpointer]) -> None: ...

        worker = AsyncWorker(Waits, four_shards._replace(max_threads=1))
        await asyncio.wait_for(worker.run(), 30)

    asyncio.run(run())


def test_what_a_coroutine_raises_ends_the_worker(service: Service, settings: Settings) -> None:
    Feed(service, settings.stream_name, keys=1).put(rounds=1)

    class Fails(AsyncRecordProcessor):
        async def process_records(self, process_records_input: ProcessRecordsInput[AsyncCheckpointer]) -> None:
            await asyncio.sleep(0)
            raise KeyError("not there")

    with pytest.raises(KeyError, match="not there"):
        asyncio.run(AsyncWorker(Fails, settings).run())


def test_records_as_arrow_name_the_extra_when_it_is_missing(
    service: Service, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    Feed(service, settings.stream_name, keys=1).put(rounds=1)

    def to_arrow(given: ProcessRecordsInput[Checkpointer]) -> None:
        given.to_arrow()

    error = run_until(lambda: False, Worker(lambda: Processor(Journal(), to_arrow), settings))
    assert isinstance(error, ImportError) and "millstream[arrow]" in str(error)


def test_settings_that_are_not_valid_are_told_at_once(settings: Settings) -> None:
    wrong = Settings(application_name="a", stream_name="s", region_name=REGION, retrieval="push")  # type: ignore[arg-type]
    with pytest.raises(IllegalArgumentException, match="neither polling nor fanOut"):
        Worker(lambda: Processor(Journal()), wrong)


def test_a_stream_that_is_not_there_is_told(service: Service, app: str) -> None:
    settings = Settings(
        application_name=app,
        stream_name="missing",
        region_name=REGION,
        endpoint_url=service.endpoint,
        access_key="test",
        secret_key="test",
    )
    with pytest.raises(IllegalArgumentException, match="missing"):
        Worker(lambda: Processor(Journal()), settings).run()
