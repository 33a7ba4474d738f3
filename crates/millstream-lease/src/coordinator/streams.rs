//! The streams that this worker reads. An application of one stream has one without a name, from the start; one of several is
//! told of them, and of each change (KCL `MultiStreamTracker`).
//!
//! Leases of other streams are let alone: what this worker holds of them is finished and given back. Where nobody reads them
//! for long enough they are deleted, if that is wished (KCL `FormerStreamsLeasesDeletionStrategy`).

use std::collections::{BTreeMap, BTreeSet};

use millstream_kinesis::ShardId;

use super::periodic::Periodic;
use super::shards::Listing;
use super::{Action, Coordinator};
use crate::{Lease, StreamStart, split_key};

/// A stream that this worker reads.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) start: StreamStart,
    pub(super) list: Periodic,
    pub(super) listing: Option<Listing>,
    /// Shards that a listing has shown open, where it matters which were since this worker began.
    pub(super) were_open: BTreeSet<ShardId>,
}

impl Stream {
    pub(super) fn new(start: StreamStart) -> Self {
        Stream { start, list: Periodic::default(), listing: None, were_open: BTreeSet::new() }
    }
}

/// A lease of a stream that this worker does not read.
#[derive(Debug)]
pub(super) struct Former {
    counter: u64,
    /// Since when the counter has not moved, by this worker's clock.
    unmoved_since_ms: u64,
    is_deleting: bool,
}

impl Coordinator {
    /// From now on the application's streams are these, by identifier.
    pub(super) fn streams_changed(&mut self, streams: BTreeMap<String, StreamStart>) {
        self.streams.retain(|stream, _| streams.contains_key(stream));
        for (stream, start) in streams {
            self.streams.entry(stream).or_insert_with(|| Stream::new(start));
        }
        // The end of a shard that was read waits for the leases of its children.
        let ended = self.leases.values().filter_map(|entry| Some((&entry.lease, entry.hold.as_ref()?)));
        let awaited: BTreeSet<String> = ended
            .flat_map(|(lease, hold)| hold.child_ids().into_iter().map(|child| lease.sibling(&child).into_owned()))
            .collect();
        let streams = &self.streams;
        self.creating.retain(|key, creating| {
            creating.is_in_flight || streams.contains_key(split_key(key).0) || awaited.contains(key)
        });
        let held = self.leases.iter().filter(|(_, entry)| entry.hold.is_some() && !self.reads(&entry.lease));
        for key in held.map(|(key, _)| key.clone()).collect::<Vec<_>>() {
            tracing::info!(lease = key, "given back: its stream is not read any more");
            self.leave_former(&key);
            self.advance(&key);
        }
        self.scan.hurry(self.now);
    }

    /// Whether this worker reads the lease's stream.
    pub(super) fn reads(&self, lease: &Lease) -> bool {
        self.streams.contains_key(lease.stream())
    }

    /// Finishes what was read of a stream that is not read any more, and gives the lease back.
    pub(super) fn leave_former(&mut self, key: &str) {
        self.leave_for_good(key, self.now + self.config.handoff_timeout_ms);
    }

    /// Leaves out of a scan what belongs to streams that this worker does not read, but for what it has itself.
    pub(super) fn leave_out_former(&mut self, scanned: &mut BTreeMap<String, Lease>) {
        let me = Some(self.config.worker_id.as_str());
        let is_held = |key: &str| self.leases.get(key).is_some_and(|entry| entry.hold.is_some());
        let is_deleting = |key: &str| self.former.get(key).is_some_and(|former| former.is_deleting);
        let is_left_out = |key: &String, lease: &mut Lease| {
            is_deleting(key) || !(self.reads(lease) || is_held(key) || lease.owner.as_deref() == me)
        };
        let left_out: Vec<Lease> = scanned.extract_if(.., is_left_out).map(|(_, lease)| lease).collect();
        self.clean_up(left_out);
    }

    fn clean_up(&mut self, left_out: Vec<Lease>) {
        let mut before = std::mem::take(&mut self.former);
        let Some(patience_ms) = self.config.former_streams_ms else {
            return;
        };
        for lease in left_out {
            if lease.actual_owner().is_some_and(|owner| self.lives_by_session(owner)) {
                continue;
            }
            let known =
                before.remove(&lease.key).filter(|former| former.counter == lease.counter || former.is_deleting);
            let mut former =
                known.unwrap_or(Former { counter: lease.counter, unmoved_since_ms: self.now, is_deleting: false });
            // The lease of a worker that lives moves within the failover time.
            let due_ms = former.unmoved_since_ms + patience_ms.max(2 * self.config.failover_ms);
            if self.now >= due_ms && !former.is_deleting {
                tracing::info!(lease = lease.key, "deleted: nobody reads its stream any more");
                former.is_deleting = true;
                self.actions.push(Action::Delete(lease.clone()));
            }
            self.former.insert(lease.key, former);
        }
        // Answers that are under way find their lease.
        self.former.extend(before.into_iter().filter(|(_, former)| former.is_deleting));
    }

    /// Takes the answer to a deletion of a former stream's lease. `false`: it was to something else.
    pub(super) fn former_answered(&mut self, key: &str) -> bool {
        let is_former = self.former.get(key).is_some_and(|former| former.is_deleting);
        if is_former {
            self.former.remove(key);
        }
        is_former
    }
}
