//! What is shown, from what was seen. Pure.

use std::collections::BTreeMap;

use clap::ValueEnum;
use millstream_kinesis::Shard;
use millstream_lease::{Lease, Throughput};
use serde_json::json;

use crate::commands::leases::Lag;

/// One look at a stream and its application.
#[derive(Debug, Clone, Default)]
pub(super) struct Look {
    pub(super) shards: Vec<Shard>,
    /// Of the stream; none without an application.
    pub(super) leases: Vec<Lease>,
    /// One for each lease.
    pub(super) lags: Vec<Lag>,
    /// Records and bytes of each shard since the last look; none where they are not counted.
    pub(super) counts: Option<BTreeMap<String, (u64, u64)>>,
    /// Since the last look, in seconds.
    pub(super) seconds: f64,
}

/// A shard's line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) shard: String,
    pub(super) state: &'static str,
    pub(super) owner: Option<String>,
    /// The worker that it is being handed over to.
    pub(super) next_owner: Option<String>,
    pub(super) lag: Option<Lag>,
    pub(super) records_per_s: Option<f64>,
    pub(super) kib_per_s: Option<f64>,
    /// What its owner has measured that it processes.
    pub(super) processed_kib_per_s: Option<f64>,
}

/// By what shards are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sort {
    /// Those that are furthest behind first.
    Lag,
    /// Those that get most first.
    Rate,
    /// By name.
    Shard,
    /// By the name of their owner.
    Owner,
}

impl Sort {
    /// The next one, for those who go through all.
    pub(super) fn next(self) -> Self {
        match self {
            Sort::Lag => Sort::Rate,
            Sort::Rate => Sort::Shard,
            Sort::Shard => Sort::Owner,
            Sort::Owner => Sort::Lag,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Sort::Lag => "lag",
            Sort::Rate => "rate",
            Sort::Shard => "shard",
            Sort::Owner => "owner",
        }
    }
}

/// The lines of all shards that take records, or that the application has still to read.
pub(super) fn rows(look: &Look, sort: Sort) -> Vec<Row> {
    let mut rows: Vec<Row> = look.shards.iter().filter_map(|shard| row(look, shard)).collect();
    rows.sort_by(|left, right| left.shard.cmp(&right.shard));
    match sort {
        Sort::Shard => {}
        Sort::Owner => rows.sort_by(|left, right| left.owner.cmp(&right.owner)),
        // What is not known may be the worst.
        Sort::Lag => rows.sort_by_key(|row| std::cmp::Reverse(row.lag.map_or(-1, |lag| lag.ms().unwrap_or(i64::MAX)))),
        Sort::Rate => {
            let rate = |row: &Row| row.kib_per_s.or(row.processed_kib_per_s).unwrap_or(0.0);
            rows.sort_by(|left, right| rate(right).total_cmp(&rate(left)));
        }
    }
    rows
}

fn row(look: &Look, shard: &Shard) -> Option<Row> {
    let place = look.leases.iter().position(|lease| lease.shard() == shard.id.as_str());
    let lease = place.map(|place| &look.leases[place]);
    let is_read = lease.is_some_and(|lease| !lease.is_ended());
    if shard.is_closed() && !is_read {
        return None;
    }
    let per_s = |count: u64| if look.seconds > 0.0 { count as f64 / look.seconds } else { 0.0 };
    let count = look.counts.as_ref().map(|counts| counts.get(shard.id.as_str()).copied().unwrap_or_default());
    Some(Row {
        shard: shard.id.to_string(),
        state: if shard.is_closed() { "closed" } else { "open" },
        owner: lease.and_then(|lease| lease.actual_owner().map(str::to_owned)),
        next_owner: lease.and_then(|lease| lease.checkpoint_owner.as_ref().and(lease.owner.clone())),
        lag: place.and_then(|place| look.lags.get(place).copied()),
        records_per_s: count.map(|(records, _)| per_s(records)),
        kib_per_s: count.map(|(_, bytes)| per_s(bytes) / 1024.0),
        processed_kib_per_s: lease.and_then(|lease| lease.throughput.map(Throughput::kbps)),
    })
}

/// A worker's line: its shards, and how far behind the worst of them is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct WorkerRow {
    pub(super) worker: String,
    pub(super) shards: usize,
    pub(super) processed_kib_per_s: f64,
    pub(super) lag_ms: i64,
}

pub(super) fn workers(rows: &[Row]) -> Vec<WorkerRow> {
    let mut workers: BTreeMap<&str, WorkerRow> = BTreeMap::new();
    for row in rows {
        let Some(owner) = &row.owner else { continue };
        let new = || WorkerRow { worker: owner.clone(), shards: 0, processed_kib_per_s: 0.0, lag_ms: 0 };
        let worker = workers.entry(owner).or_insert_with(new);
        worker.shards += 1;
        worker.processed_kib_per_s += row.processed_kib_per_s.unwrap_or(0.0);
        worker.lag_ms = worker.lag_ms.max(row.lag.and_then(Lag::ms).unwrap_or(0));
    }
    workers.into_values().collect()
}

/// A shard's line for programs.
pub(super) fn json(row: &Row) -> serde_json::Value {
    json!({
        "shard": row.shard,
        "state": row.state,
        "owner": row.owner,
        "next_owner": row.next_owner,
        "lag_ms": row.lag.and_then(Lag::ms),
        "records_per_s": row.records_per_s,
        "kib_per_s": row.kib_per_s,
        "processed_kib_per_s": row.processed_kib_per_s,
    })
}
