use millstream_kinesis::{Checkpoint, ChildShard, ShardId};

use super::periodic::Retry;
use crate::{Lease, Throughput};

/// A write of this worker that was not answered yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operation {
    Renew,
    Take,
    /// As the leader: makes a worker the owner of a free lease.
    Assign(String),
    /// Asks the owner to hand over to a worker.
    RequestHandoff(String),
    CompleteHandoff,
    WithdrawHandoff,
    Release,
    Delete,
    Checkpoint(Checkpoint),
    Prepare(Checkpoint, Option<Vec<u8>>),
}

#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) operation: Operation,
    pub(super) sent_ms: u64,
}

/// One lease of the table, whoever owns it.
#[derive(Debug)]
pub(super) struct Entry {
    /// As last seen, or as changed by this worker since.
    pub(super) lease: Lease,
    /// The step in which the lease was seen first.
    pub(super) first_step: u64,
    /// Since when the counter has not moved, by this worker's clock.
    pub(super) unmoved_since_ms: u64,
    /// The step in which the counter or the owner was seen to have changed last.
    pub(super) moved_step: u64,
    /// Since when a handoff is pending.
    pub(super) handoff_since_ms: Option<u64>,
    /// The step in which the last write of this worker was answered.
    pub(super) written_step: u64,
    /// Known to have changed; to be scanned before anything is decided.
    pub(super) is_outdated: bool,
    pub(super) in_flight: Option<InFlight>,
    pub(super) retry: Retry,
    /// Set while this worker holds the lease.
    pub(super) hold: Option<Hold>,
}

impl Entry {
    pub(super) fn new(lease: Lease, now: u64, step: u64) -> Self {
        Entry {
            handoff_since_ms: lease.checkpoint_owner.as_ref().map(|_| now),
            lease,
            first_step: step,
            unmoved_since_ms: now,
            moved_step: step,
            written_step: 0,
            is_outdated: false,
            in_flight: None,
            retry: Retry::default(),
            hold: None,
        }
    }

    /// Whether this worker changed the lease after a scan was started.
    pub(super) fn is_newer_than(&self, scan_step: u64) -> bool {
        self.in_flight.is_some() || self.written_step > scan_step
    }

    /// Takes what was processed since the last time into the lease's throughput, once in `interval_ms` at most.
    pub(super) fn measure(&mut self, now: u64, interval_ms: u64) {
        let Some(hold) = self.hold.as_mut().filter(|hold| now >= hold.measured_ms + interval_ms.max(1)) else {
            return;
        };
        let measured = Throughput::measured(hold.bytes, now - hold.measured_ms);
        self.lease.throughput = Some(self.lease.throughput.map_or(measured, |before| before.followed_by(measured)));
        (hold.bytes, hold.measured_ms) = (0, now);
    }

    /// Takes in the lease as scanned, or as an answer gave it.
    pub(super) fn observe(&mut self, lease: Lease, now: u64, step: u64) {
        if lease.counter != self.lease.counter || lease.owner != self.lease.owner {
            (self.unmoved_since_ms, self.moved_step) = (now, step);
        }
        if lease.checkpoint_owner.is_none() {
            self.handoff_since_ms = None;
        } else if self.handoff_since_ms.is_none() || lease.owner != self.lease.owner {
            self.handoff_since_ms = Some(now);
        }
        self.lease = lease;
        self.is_outdated = false;
    }
}

/// How far a held lease is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Its parents have not ended.
    Waiting,
    Reading,
    /// Asked to stop; something is still in flight.
    Draining,
    /// Asked to stop; nothing is in flight.
    Idle,
}

/// Why a held lease is being given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    Handoff,
    Release,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Leaving {
    pub(super) reason: Reason,
    /// From here on nothing is waited for.
    pub(super) deadline_ms: u64,
}

/// What this worker does with a lease it holds.
#[derive(Debug)]
pub(super) struct Hold {
    pub(super) phase: Phase,
    /// When the write was sent that last moved the counter.
    pub(super) renewed_ms: u64,
    /// When the last checkpoint was sent.
    pub(super) checkpointed_ms: u64,
    /// The outcome of the last write is unknown: a renewal tells.
    pub(super) is_uncertain: bool,
    pub(super) processed: Option<Checkpoint>,
    /// Bytes processed since `measured_ms`.
    pub(super) bytes: u64,
    pub(super) measured_ms: u64,
    /// All of the shard is processed.
    pub(super) is_finished: bool,
    /// A checkpoint to be noted before it is written, with what a successor is to know of it.
    pub(super) prepare: Option<(Checkpoint, Option<Vec<u8>>)>,
    /// Write at once up to here.
    pub(super) flush_to: Option<Checkpoint>,
    /// The shard's children, once its last record was read.
    pub(super) children: Option<Vec<ChildShard>>,
    /// Those of them whose leases wait for the lease of another parent.
    pub(super) deferred: Vec<ChildShard>,
    pub(super) leaving: Option<Leaving>,
}

impl Hold {
    pub(super) fn new(taken_ms: u64) -> Self {
        Hold {
            phase: Phase::Waiting,
            renewed_ms: taken_ms,
            checkpointed_ms: taken_ms,
            is_uncertain: false,
            processed: None,
            bytes: 0,
            measured_ms: taken_ms,
            is_finished: false,
            prepare: None,
            flush_to: None,
            children: None,
            deferred: Vec::new(),
            leaving: None,
        }
    }

    /// The ids of the shard's children.
    pub(super) fn child_ids(&self) -> Vec<ShardId> {
        self.children.iter().flatten().map(|child| child.id.clone()).collect()
    }
}
