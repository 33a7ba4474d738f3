"""A worker of kcl-rs. Arguments: endpoint, application, stream, retrieval, ms between reads, timed."""

from __future__ import annotations

import sys
from typing import Any

import telling
from kcl_rs import RecordProcessorBase, Scheduler

endpoint, application, stream, retrieval, idle_ms, timed = sys.argv[1:]


class Processor(RecordProcessorBase):
    def initialize(self, initialize_input: Any) -> None:
        self.shard = initialize_input.shard_id
        telling.ready(self.shard)

    def process_records(self, process_records_input: Any) -> None:
        if process_records_input.records:
            telling.records(
                self.shard, (record.binary_data for record in process_records_input.records), timed == "timed"
            )
            process_records_input.checkpointer.checkpoint()

    def lease_lost(self, lease_lost_input: Any) -> None:
        pass

    def shard_ended(self, shard_ended_input: Any) -> None:
        shard_ended_input.checkpointer.checkpoint()

    def shutdown_requested(self, shutdown_requested_input: Any) -> None:
        shutdown_requested_input.checkpointer.checkpoint()


polling = {"max_records": 10_000, "idle_time_between_reads_millis": int(idle_ms)}
Scheduler(
    stream_name=stream,
    application_name=application,
    record_processor_factory=Processor,
    region="us-east-1",
    endpoint_url=endpoint,
    access_key_id="local",
    secret_access_key="local",
    initial_position="TRIM_HORIZON",
    retrieval_mode="FANOUT" if retrieval == "fanOut" else "POLLING",
    **({} if retrieval == "fanOut" else polling),
).run()
