//! The stream's shards: which leases are missing, which parents have ended, which leases are left over.

use std::collections::BTreeMap;

use millstream_kinesis::{Checkpoint, HashKeyRange, Shard, ShardId};

use super::Coordinator;
use super::state::{Operation, Retry};
use crate::Lease;
use crate::lineage::{missing_leases, waits_for_parents};

/// An ended lease stays for so many failover times: longer than any worker makes use of an older listing.
const KEPT_FOR: u64 = 2;

/// A lease that is being created.
#[derive(Debug)]
pub(super) struct Creating {
    pub(super) lease: Lease,
    pub(super) is_in_flight: bool,
    pub(super) retry: Retry,
}

/// The stream's shards as last listed.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) shards: BTreeMap<ShardId, Shard>,
    started_step: u64,
    answered_step: u64,
    started_ms: u64,
    is_synchronised: bool,
}

impl Coordinator {
    /// Takes in the shards. They are compared with a scan that starts after this: an older one might not show
    /// the lease of a shard's ancestor, and the shard would not be known as a descendant.
    pub(super) fn shards_listed(&mut self, shards: Vec<Shard>) {
        let Some(started_step) = self.list.answered() else {
            return;
        };
        self.listing = Some(Listing {
            shards: shards.into_iter().map(|shard| (shard.id.clone(), shard)).collect(),
            started_step,
            answered_step: self.step,
            started_ms: self.list.started_ms,
            is_synchronised: false,
        });
        self.scan.hurry(self.now);
        self.advance_all();
    }

    /// Creates the leases that are missing, and deletes those whose shards are gone, once for each listing.
    pub(super) fn synchronise(&mut self, scan_step: u64) {
        let Some(listing) = &mut self.listing else {
            return;
        };
        if listing.is_synchronised || scan_step < listing.answered_step {
            return;
        }
        listing.is_synchronised = true;
        // A shard that was open then may have been read to its end since, and its lease deleted.
        if self.now >= listing.started_ms + self.config.failover_ms {
            self.list.hurry(self.now);
            return;
        }
        let leases = self.leases.iter().map(|(key, entry)| (key.as_str(), &entry.lease)).collect();
        let missing = missing_leases(&listing.shards, &leases, self.config.initial);
        // An ended lease tells that its line was read: it stays until all its descendants have leases.
        let is_complete = missing.is_empty() && self.creating.is_empty();
        let left_over = if is_complete { self.left_over() } else { Vec::new() };
        for mut lease in missing {
            lease.latest_since_ms = self.config.latest_since_ms.filter(|_| lease.checkpoint == Checkpoint::Latest);
            tracing::info!(lease = lease.key, checkpoint = %lease.checkpoint, "a shard without a lease");
            self.create(lease);
        }
        for key in left_over {
            self.send(&key, Operation::Delete);
        }
    }

    /// Ended leases that nobody needs (KCL `LeaseCleanupManager`): of shards whose children are all being read, oldest first;
    /// and of shards that are not listed any more, where no child waits for them.
    fn left_over(&self) -> Vec<String> {
        let Some(listing) = self.listing.as_ref().filter(|listing| !listing.shards.is_empty()) else {
            return Vec::new();
        };
        let is_needed = |key: &str| {
            let mut waiting = self.leases.values().filter(|entry| waits_for_parents(&entry.lease));
            waiting.any(|entry| entry.lease.parents.iter().any(|parent| parent.as_str() == key))
        };
        let ended = self.leases.iter().filter(|(key, entry)| {
            let is_forgotten = entry.first_step < listing.started_step
                && !listing.shards.contains_key(key.as_str())
                && !is_needed(key);
            entry.lease.is_ended()
                && self.is_unmoved_for(key, KEPT_FOR)
                && entry.hold.is_none()
                && entry.in_flight.is_none()
                && (is_forgotten || self.is_superseded(&entry.lease))
        });
        ended.map(|(key, _)| key.clone()).collect()
    }

    /// Whether all children of an ended lease's shard are being read. Something of each is checkpointed then: the table does
    /// not become a fresh one, where shards found later would start at `LATEST`.
    fn is_superseded(&self, ended: &Lease) -> bool {
        let is_read =
            |child: &ShardId| self.leases.get(child.as_str()).is_some_and(|child| !child.lease.is_untouched());
        !ended.children.is_empty()
            && ended.children.iter().all(is_read)
            && !ended.parents.iter().any(|parent| self.leases.contains_key(parent.as_str()))
    }

    /// Whether a lease's shard may be read: not from its beginning, or after all its parents.
    pub(super) fn parents_have_ended(&mut self, key: &str) -> bool {
        let Some(entry) = self.leases.get(key) else {
            return false;
        };
        if !waits_for_parents(&entry.lease) {
            return true;
        }
        let parents = entry.lease.parents.iter();
        let (known, unknown): (Vec<_>, Vec<_>) =
            parents.map(|id| (id, self.leases.get(id.as_str()))).partition(|(_, lease)| lease.is_some());
        let have_ended = known.iter().all(|(_, parent)| parent.is_some_and(|parent| parent.lease.is_ended()))
            && unknown.iter().all(|(parent, _)| self.is_gone(key, parent));
        if !unknown.is_empty() {
            self.want_listed(key);
        }
        have_ended
    }

    /// Whether the last listing tells of the parents of this shard: it has the shard itself, or is younger than its lease.
    pub(super) fn has_listed(&self, key: &str) -> bool {
        let first_step = self.leases.get(key).map_or(u64::MAX, |entry| entry.first_step);
        self.listing
            .as_ref()
            .is_some_and(|listing| listing.shards.contains_key(key) || listing.started_step > first_step)
    }

    /// Lists the shards soon, if the last listing tells nothing of the parents of this one.
    pub(super) fn want_listed(&mut self, key: &str) {
        if !self.has_listed(key) && self.list.started_step.is_none() {
            self.list.hurry(self.now);
        }
    }

    /// Whether the stream has forgotten a parent of this shard.
    pub(super) fn is_gone(&self, key: &str, parent: &ShardId) -> bool {
        let is_listed = self.listing.as_ref().is_some_and(|listing| listing.shards.contains_key(parent));
        self.has_listed(key) && !is_listed && !self.creating.contains_key(parent.as_str())
    }

    /// The hash keys of a shard, as last listed.
    pub(super) fn listed_range(&self, key: &str) -> Option<HashKeyRange> {
        Some(self.listing.as_ref()?.shards.get(key)?.hash_range)
    }

    /// Asks for a new lease, unless that was done already.
    pub(super) fn create(&mut self, lease: Lease) {
        self.creating.entry(lease.key.clone()).or_insert_with(|| Creating {
            lease,
            is_in_flight: false,
            retry: Retry::default(),
        });
    }

    /// Sends the creations that are due.
    pub(super) fn create_due(&mut self) {
        for creating in self.creating.values_mut() {
            if !creating.is_in_flight && self.now >= creating.retry.not_before_ms {
                creating.is_in_flight = true;
                self.actions.push(super::Action::Create(creating.lease.clone()));
            }
        }
    }

    /// After the last of several creations the table is scanned: the new leases want owners.
    pub(super) fn created(&mut self, key: &str) {
        if self.creating.remove(key).is_some() && self.creating.is_empty() {
            self.scan.hurry(self.now);
        }
        self.advance_all();
    }
}
