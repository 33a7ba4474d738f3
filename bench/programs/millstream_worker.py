"""A worker of `millstream.kcl`. Arguments: endpoint, application, stream, retrieval, ms between reads, timed.

With `--columns` before them records are columns (Arrow), not objects.
"""

from __future__ import annotations

import sys

import telling

from millstream.kcl import Checkpointer, InitializeInput, ProcessRecordsInput, RecordProcessor, Settings, Worker

columns = sys.argv[1] == "--columns"
endpoint, application, stream, retrieval, idle_ms, timed = sys.argv[1 + columns :]


class Processor(RecordProcessor):
    def initialize(self, initialize_input: InitializeInput) -> None:
        self.shard = initialize_input.shard_id
        telling.ready(self.shard)

    def process_records(self, process_records_input: ProcessRecordsInput[Checkpointer]) -> None:
        if columns and timed != "timed":
            data = process_records_input.to_arrow()["data"]
            telling.counted(self.shard, len(data), data.nbytes)
        elif columns:
            telling.records(self.shard, process_records_input.to_arrow()["data"].to_pylist(), True)
        else:
            telling.records(self.shard, (record.data for record in process_records_input.records), timed == "timed")
        process_records_input.checkpointer.checkpoint()


Worker(
    Processor,
    Settings(
        application_name=application,
        stream_name=stream,
        region_name="us-east-1",
        endpoint_url=endpoint,
        retrieval="fanOut" if retrieval == "fanOut" else "polling",
        idle_time_between_reads=float(idle_ms) / 1000,
    ),
).run()
