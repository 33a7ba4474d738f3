"""Writes all it processes into a file, as a worker of `millstream.kcl`.

Arguments: app, stream, endpoint, region, file, then settings `name=value`; `aio` runs it with asyncio.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time

from millstream.kcl import (
    AsyncCheckpointer,
    AsyncRecordProcessor,
    AsyncWorker,
    Checkpointer,
    ProcessRecordsInput,
    RecordProcessor,
    Settings,
    ShutdownRequestedInput,
    Worker,
)

app, stream, endpoint, region, path, *options = sys.argv[1:]
ledger = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def write(records: ProcessRecordsInput[Checkpointer] | ProcessRecordsInput[AsyncCheckpointer]) -> None:
    lines = [f"{time.time()} {record.data.decode()}\n" for record in records.records]
    os.write(ledger, "".join(lines).encode())


class Processor(RecordProcessor):
    def process_records(self, process_records_input: ProcessRecordsInput[Checkpointer]) -> None:
        write(process_records_input)
        process_records_input.checkpointer.checkpoint()

    def shutdown_requested(self, shutdown_requested_input: ShutdownRequestedInput[Checkpointer]) -> None:
        shutdown_requested_input.checkpointer.checkpoint()


class AsyncProcessor(AsyncRecordProcessor):
    async def process_records(self, process_records_input: ProcessRecordsInput[AsyncCheckpointer]) -> None:
        write(process_records_input)
        await process_records_input.checkpointer.checkpoint()


is_async = "aio" in options
given = dict(option.split("=", 1) for option in options if option != "aio")
settings = Settings(
    application_name=app,
    stream_name=stream,
    region_name=region,
    endpoint_url=endpoint,
    failover_time=float(given.get("failover", "10")),
    retrieval="fanOut" if given.get("retrieval") == "fanOut" else "polling",
)
if is_async:
    asyncio.run(AsyncWorker(AsyncProcessor, settings).run())
else:
    Worker(Processor, settings).run()
