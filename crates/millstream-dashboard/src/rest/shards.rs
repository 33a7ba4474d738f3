//! `/shards` and `/leases`, which Spark has not.

use serde::Serialize;
use serde_json::Value;

use super::json;
use crate::board::{Snapshot, StreamNow};
use crate::status::{LeaseStatus, ShardStatus};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShardAnswer<'a> {
    application: &'a str,
    stream: &'a str,
    shard_id: &'a str,
    parent_shard_ids: &'a [String],
    /// Texts: a program that reads numbers as doubles would round them.
    starting_hash_key: Option<String>,
    ending_hash_key: Option<String>,
    has_ended: bool,
    /// What this worker does with the lease; `null` where there is none.
    state: Option<&'static str>,
    owner: Option<&'a str>,
    next_owner: Option<&'a str>,
    checkpoint: Option<&'a str>,
    last_error: Option<&'a str>,
    reading: Option<ReadingAnswer<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReadingAnswer<'a> {
    position: &'a str,
    millis_behind_latest: i64,
    queued_records: u64,
    total_records: u64,
    total_bytes: u64,
    records_per_second: Option<f64>,
    bytes_per_second: Option<f64>,
    throttled_reads: u64,
    records_read_again: u64,
    has_ended: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LeaseAnswer<'a> {
    application: &'a str,
    stream: &'a str,
    lease_key: &'a str,
    state: &'static str,
    owner: Option<&'a str>,
    next_owner: Option<&'a str>,
    /// Whether the owner is this program's worker.
    is_own: bool,
    checkpoint: &'a str,
    processed: Option<&'a str>,
    failures: u32,
    last_error: Option<&'a str>,
}

pub(super) fn shards(snapshot: &Snapshot) -> Value {
    let of_stream = |now| all_of(now).map(move |(shard, lease)| shard_answer(now, shard, lease));
    json(&snapshot.streams().flat_map(of_stream).collect::<Vec<_>>())
}

pub(super) fn leases(snapshot: &Snapshot) -> Value {
    let of_stream = |now| all_of(now).filter_map(move |(shard, lease)| Some(lease_answer(now, shard, lease?)));
    json(&snapshot.streams().flat_map(of_stream).collect::<Vec<_>>())
}

fn all_of(now: &StreamNow) -> impl Iterator<Item = (&ShardStatus, Option<&LeaseStatus>)> {
    now.status.shards.iter().map(|shard| (shard, shard.lease.as_ref()))
}

fn shard_answer<'a>(now: &'a StreamNow, shard: &'a ShardStatus, lease: Option<&'a LeaseStatus>) -> ShardAnswer<'a> {
    let speed = now.speed(&shard.shard);
    let reading = shard.reading.as_ref().filter(|_| now.is_current).map(|reading| ReadingAnswer {
        position: &reading.position,
        millis_behind_latest: reading.behind_ms,
        queued_records: reading.queued,
        total_records: reading.records_read,
        total_bytes: reading.bytes_read,
        records_per_second: speed.map(|speed| speed.records),
        bytes_per_second: speed.map(|speed| speed.bytes),
        throttled_reads: reading.throttles,
        records_read_again: reading.records_again,
        has_ended: reading.has_ended,
    });
    ShardAnswer {
        application: &now.status.application,
        stream: &now.status.stream,
        shard_id: &shard.shard,
        parent_shard_ids: &shard.parents,
        starting_hash_key: shard.hash_keys.map(|(first, _)| first.to_string()),
        ending_hash_key: shard.hash_keys.map(|(_, last)| last.to_string()),
        has_ended: shard.has_ended,
        state: lease.map(|lease| lease.state),
        owner: lease.and_then(|lease| lease.owner.as_deref()),
        next_owner: lease.and_then(|lease| lease.next_owner.as_deref()),
        checkpoint: lease.map(|lease| lease.checkpoint.as_str()),
        last_error: lease.and_then(|lease| lease.last_error.as_deref()),
        reading,
    }
}

fn lease_answer<'a>(now: &'a StreamNow, shard: &'a ShardStatus, lease: &'a LeaseStatus) -> LeaseAnswer<'a> {
    LeaseAnswer {
        application: &now.status.application,
        stream: &now.status.stream,
        lease_key: &shard.shard,
        state: lease.state,
        owner: lease.owner.as_deref(),
        next_owner: lease.next_owner.as_deref(),
        is_own: lease.owner.as_deref() == Some(now.status.worker.as_str()),
        checkpoint: &lease.checkpoint,
        processed: lease.processed.as_deref(),
        failures: lease.failures,
        last_error: lease.last_error.as_deref(),
    }
}
