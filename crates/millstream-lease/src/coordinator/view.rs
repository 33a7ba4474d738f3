use millstream_kinesis::{Checkpoint, Shard};

use super::Coordinator;
use super::state::{Phase, Reason};
use crate::Lease;

/// One lease, for people and dashboards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseView<'a> {
    /// The lease.
    pub key: &'a str,
    /// What this worker does with it.
    pub status: LeaseStatus,
    /// The worker that reads it.
    pub owner: Option<&'a str>,
    /// What is stored of it.
    pub checkpoint: &'a Checkpoint,
    /// What is processed, where that is further than what is stored.
    pub processed: Option<&'a Checkpoint>,
    /// How often the last operation on it has failed in a row.
    pub failures: u32,
    /// Why it failed last.
    pub last_error: Option<&'a str>,
}

/// What a worker does with a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseStatus {
    /// It is being created.
    Creating,
    /// Another worker's, or nobody's.
    Elsewhere,
    /// Held; the shard's parents have not ended.
    Waiting,
    /// Held, and read.
    Reading,
    /// Held, on its way to another worker.
    HandingOver,
    /// Held, to be released.
    Releasing,
    /// The shard is processed to its end.
    Ended,
}

impl Coordinator {
    /// How many leases this worker has lost, since it knows of any: to another worker, or by not renewing them in time.
    pub fn lost_leases(&self) -> u64 {
        self.lost
    }

    /// All leases this worker knows, in the order of their keys; those being created last.
    pub fn view(&self) -> impl Iterator<Item = LeaseView<'_>> {
        let known = self.leases.iter().map(|(key, entry)| {
            let hold = entry.hold.as_ref();
            let status = match hold.map(|hold| (hold.leaving, hold.phase)) {
                _ if entry.lease.is_ended() => LeaseStatus::Ended,
                None => LeaseStatus::Elsewhere,
                Some((Some(leaving), _)) if leaving.reason == Reason::Handoff => LeaseStatus::HandingOver,
                Some((Some(_), _)) => LeaseStatus::Releasing,
                Some((None, Phase::Waiting)) => LeaseStatus::Waiting,
                Some((None, _)) => LeaseStatus::Reading,
            };
            let processed = match hold {
                Some(hold) if hold.is_finished => Some(&Checkpoint::ShardEnd),
                Some(hold) => hold.processed.as_ref(),
                None => None,
            };
            LeaseView {
                key,
                status,
                owner: entry.lease.actual_owner(),
                checkpoint: &entry.lease.checkpoint,
                processed: processed.filter(|processed| **processed > entry.lease.checkpoint),
                failures: entry.retry.failures,
                last_error: entry.retry.reason.as_deref(),
            }
        });
        let creating = self.creating.iter().filter(|(key, _)| !self.leases.contains_key(*key));
        known.chain(creating.map(|(key, creating)| LeaseView {
            key,
            status: LeaseStatus::Creating,
            owner: None,
            checkpoint: &creating.lease.checkpoint,
            processed: None,
            failures: creating.retry.failures,
            last_error: creating.retry.reason.as_deref(),
        }))
    }

    /// What is stored of a lease, as far as this worker knows.
    pub fn lease(&self, key: &str) -> Option<&Lease> {
        Some(&self.leases.get(key)?.lease)
    }

    /// The stream's shards as last listed, in the order of their ids.
    pub fn listed_shards(&self) -> impl Iterator<Item = &Shard> {
        self.streams.values().filter_map(|stream| stream.listing.as_ref()).flat_map(|listing| listing.shards.values())
    }

    /// Why the last look at the lease table failed; `None`: it did not.
    pub fn scan_error(&self) -> Option<&str> {
        self.scan.last_error()
    }

    /// Why the last look at a stream's shards failed; `None`: none did.
    pub fn list_error(&self) -> Option<&str> {
        self.streams.values().find_map(|stream| stream.list.last_error())
    }
}
