//! What there is to measure of shards and leases.

use std::collections::BTreeMap;

use super::family::{Family, Kind};
use crate::board::{Snapshot, StreamNow};
use crate::status::{ReadingStatus, ShardStatus};

/// One figure of each shard that this worker reads.
type OfShard = (&'static str, Kind, &'static str, fn(&ReadingStatus) -> f64);

/// The KCL's names, with its dimensions as labels.
const KCL: [OfShard; 3] = [
    (
        "kcl_MillisBehindLatest",
        Kind::Gauge,
        "Age of the newest record read against the tip of the shard, in ms.",
        |reading| reading.behind_ms as f64,
    ),
    ("kcl_RecordsProcessed_total", Kind::Counter, "Records of a shard given to batches.", |reading| {
        reading.records_given as f64
    }),
    ("kcl_DataBytesProcessed_total", Kind::Counter, "Bytes of data of a shard given to batches.", |reading| {
        reading.bytes_given as f64
    }),
];

const OURS: [OfShard; 5] = [
    ("millstream_shard_queued_records", Kind::Gauge, "Records read that no batch has yet.", |reading| {
        reading.queued as f64
    }),
    ("millstream_shard_records_total", Kind::Counter, "Records read of a shard.", |reading| {
        reading.records_read as f64
    }),
    ("millstream_shard_bytes_total", Kind::Counter, "Bytes of data read of a shard.", |reading| {
        reading.bytes_read as f64
    }),
    (
        "millstream_shard_throttles_total",
        Kind::Counter,
        "Reads of a shard that Kinesis refused for its limits.",
        |reading| reading.throttles as f64,
    ),
    (
        "millstream_shard_records_again_total",
        Kind::Counter,
        "Records of a shard that had been read before: of batches of an earlier run, or before a checkpoint.",
        |reading| reading.records_again as f64,
    ),
];

pub(super) fn families(snapshot: &Snapshot) -> Vec<Family> {
    let of_kcl = KCL.iter().map(|&(name, kind, help, value)| {
        let mut family = Family::new(name, kind, help);
        for (now, shard, reading) in readings(snapshot) {
            let [application, stream] = labels(now);
            let labels = [application, stream, ("Operation", "ProcessTask"), ("ShardId", shard.shard.as_str())];
            family.add(&labels, value(reading));
        }
        family
    });
    let ours = OURS.iter().map(|&(name, kind, help, value)| {
        let mut family = Family::new(name, kind, help);
        for (now, shard, reading) in readings(snapshot) {
            let [application, stream] = labels(now);
            family.add(&[application, stream, ("shard", &shard.shard)], value(reading));
        }
        family
    });
    of_kcl.chain(ours).chain(of_leases(snapshot)).collect()
}

fn of_leases(snapshot: &Snapshot) -> [Family; 6] {
    let gauge = |name, help| Family::new(name, Kind::Gauge, help);
    let mut current = gauge("kcl_CurrentLeases", "Leases that this worker holds.");
    let mut total = gauge("kcl_TotalLeases", "Leases of shards that have not ended.");
    let mut workers = gauge("kcl_NumWorkers", "Workers that hold leases.");
    let mut leases = gauge("millstream_leases", "Leases that a worker holds of shards that have not ended.");
    let mut unowned = gauge("millstream_leases_unowned", "Leases of shards that have not ended and that nobody holds.");
    let mut is_read =
        gauge("millstream_stream_is_read", "1: the stream is read; 0: reading has ended, and the rest is as it was.");
    for now in snapshot.streams() {
        let [application, stream] = labels(now);
        let (owners, own) = (owners(now), now.status.worker.as_str());
        let renewing = [application, stream, ("Operation", "RenewAllLeases"), ("WorkerIdentifier", own)];
        current.add(&renewing, owners.get(own).copied().unwrap_or(0) as f64);
        let taking = [application, stream, ("Operation", "TakeLeases")];
        total.add(&taking, open_leases(now).count() as f64);
        workers.add(&taking, owners.len() as f64);
        for (worker, held) in &owners {
            leases.add(&[application, stream, ("worker", worker)], *held as f64);
        }
        unowned.add(&[application, stream], open_leases(now).filter(|lease| lease.owner.is_none()).count() as f64);
        is_read.add(&[application, stream], f64::from(u8::from(now.is_current)));
    }
    [current, total, workers, leases, unowned, is_read]
}

fn labels(now: &StreamNow) -> [(&'static str, &str); 2] {
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
