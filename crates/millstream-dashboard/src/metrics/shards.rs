//! What there is to measure of shards and leases.

use std::collections::BTreeMap;

use super::text::Text;
use crate::board::{Snapshot, StreamNow};
use crate::status::{ReadingStatus, ShardStatus};

/// One figure of each shard that this worker reads.
type OfShard = (&'static str, &'static str, &'static str, fn(&ReadingStatus) -> i128);

/// The KCL's names, with its dimensions as labels.
const KCL: [OfShard; 3] = [
    (
        "kcl_MillisBehindLatest",
        "gauge",
        "Age of the newest record read against the tip of the shard, in ms.",
        |reading| i128::from(reading.behind_ms),
    ),
    ("kcl_RecordsProcessed_total", "counter", "Records of a shard given to batches.", |reading| {
        i128::from(reading.records_given)
    }),
    ("kcl_DataBytesProcessed_total", "counter", "Bytes of data of a shard given to batches.", |reading| {
        i128::from(reading.bytes_given)
    }),
];

const OURS: [OfShard; 3] = [
    ("millstream_shard_queued_records", "gauge", "Records read that no batch has yet.", |reading| {
        i128::from(reading.queued)
    }),
    ("millstream_shard_records_total", "counter", "Records read of a shard.", |reading| {
        i128::from(reading.records_read)
    }),
    ("millstream_shard_bytes_total", "counter", "Bytes of data read of a shard.", |reading| {
        i128::from(reading.bytes_read)
    }),
];

pub(super) fn write(text: &mut Text, snapshot: &Snapshot) {
    for (name, kind, help, value) in KCL {
        text.family(name, kind, help);
        for (now, shard, reading) in readings(snapshot) {
            let [application, stream] = labels(now);
            let shard = ("ShardId", shard.shard.as_str());
            text.sample(&[application, stream, ("Operation", "ProcessTask"), shard], value(reading));
        }
    }
    for (name, kind, help, value) in OURS {
        text.family(name, kind, help);
        for (now, shard, reading) in readings(snapshot) {
            let [application, stream] = labels(now);
            text.sample(&[application, stream, ("shard", &shard.shard)], value(reading));
        }
    }
    of_leases(text, snapshot);
}

fn of_leases(text: &mut Text, snapshot: &Snapshot) {
    let owners: Vec<_> = snapshot.streams().map(|now| (now, owners(now))).collect();
    text.family("kcl_CurrentLeases", "gauge", "Leases that this worker holds.");
    for (now, owners) in &owners {
        let [application, stream] = labels(now);
        let worker = ("WorkerIdentifier", now.status.worker.as_str());
        let held = owners.get(now.status.worker.as_str()).copied().unwrap_or(0);
        text.sample(&[application, stream, ("Operation", "RenewAllLeases"), worker], held);
    }
    text.family("kcl_TotalLeases", "gauge", "Leases of shards that have not ended.");
    for (now, _) in &owners {
        let [application, stream] = labels(now);
        text.sample(&[application, stream, ("Operation", "TakeLeases")], open_leases(now).count());
    }
    text.family("kcl_NumWorkers", "gauge", "Workers that hold leases.");
    for (now, owners) in &owners {
        let [application, stream] = labels(now);
        text.sample(&[application, stream, ("Operation", "TakeLeases")], owners.len());
    }
    text.family("millstream_leases", "gauge", "Leases that a worker holds of shards that have not ended.");
    for (now, owners) in &owners {
        let [application, stream] = labels(now);
        for (worker, held) in owners {
            text.sample(&[application, stream, ("worker", worker)], held);
        }
    }
    text.family("millstream_leases_unowned", "gauge", "Leases of shards that have not ended and that nobody holds.");
    for (now, _) in &owners {
        text.sample(&labels(now), open_leases(now).filter(|lease| lease.owner.is_none()).count());
    }
    text.family(
        "millstream_stream_is_read",
        "gauge",
        "1: the stream is read; 0: reading has ended, and the rest is as it was.",
    );
    for (now, _) in &owners {
        text.sample(&labels(now), u8::from(now.is_current));
    }
}

fn labels(now: &StreamNow) -> [(&str, &str); 2] {
    [("application", &now.status.application), ("stream", &now.status.stream)]
}

fn readings(snapshot: &Snapshot) -> impl Iterator<Item = (&StreamNow, &ShardStatus, &ReadingStatus)> {
    let current = snapshot.streams().filter(|now| now.is_current);
    let shards = current.flat_map(|now| now.status.shards.iter().map(move |shard| (now, shard)));
    shards.filter_map(|(now, shard)| Some((now, shard, shard.reading.as_ref()?)))
}

fn open_leases(now: &StreamNow) -> impl Iterator<Item = &crate::status::LeaseStatus> {
    now.status.shards.iter().filter_map(|shard| shard.lease.as_ref()).filter(|lease| lease.state != "ended")
}

/// How many leases each worker holds.
fn owners(now: &StreamNow) -> BTreeMap<&str, usize> {
    let mut owners = BTreeMap::new();
    for owner in open_leases(now).filter_map(|lease| lease.owner.as_deref()) {
        *owners.entry(owner).or_default() += 1;
    }
    owners
}
