//! Which leases this worker takes.
//!
//! Every worker aims at its even share: active leases / workers, rounded up. A worker is one seen as the owner of
//! a live lease. The rules are those of the KCL's `DynamoDBLeaseTaker`; in place of a steal there is a graceful handoff, of what
//! `balancing` says.

use std::collections::BTreeMap;

use super::Coordinator;
use super::state::{Entry, Operation};

/// Leases untouched for so many failover times are taken beyond the even share (KCL `VERY_OLD_LEASE_DURATION`).
const VERY_OLD: u64 = 3;

impl Coordinator {
    /// Decides on a table just scanned.
    pub(super) fn take_leases(&mut self) {
        self.take_assigned();
        let load = self.load();
        let mine = load.get(&self.config.worker_id).copied().unwrap_or(0);
        let active = self.active().count();
        let share = active.div_ceil(load.len().max(1));
        let free = self.free_leases();
        let room = self.config.max_leases.saturating_sub(mine);
        let need = share.saturating_sub(mine).min(room);
        let very_old = free.iter().filter(|key| self.is_very_old(key)).count();
        for key in free.iter().take(need.max(very_old).min(room)) {
            self.send(key, Operation::Take);
        }
        if free.is_empty() {
            self.even_out(&load);
        }
    }

    /// Leases given to this worker: a handoff that is completed or took too long, or its own from before a restart.
    pub(super) fn take_assigned(&mut self) {
        let me = self.config.worker_id.as_str();
        let mut operations = Vec::new();
        for (key, entry) in &self.leases {
            if !self.is_open_to_writes(key, entry) || !self.reads(&entry.lease) {
                continue;
            }
            let lease = &entry.lease;
            if lease.checkpoint_owner.as_deref() == Some(me) {
                operations.push((key.clone(), Operation::CompleteHandoff));
            } else if lease.owner.as_deref() == Some(me)
                && (lease.checkpoint_owner.is_none() || self.is_late(entry) || self.is_expired(entry))
            {
                operations.push((key.clone(), Operation::Take));
            }
        }
        for (key, operation) in operations {
            self.send(&key, operation);
        }
    }

    /// The leases that are still to be read, of the streams that this worker reads.
    pub(super) fn active(&self) -> impl Iterator<Item = (&String, &Entry)> {
        self.leases.iter().filter(|(_, entry)| !entry.lease.is_ended() && self.reads(&entry.lease))
    }

    /// How many active leases each live worker has, or will have after the handoffs under way.
    pub(super) fn load(&self) -> BTreeMap<String, usize> {
        let me = &self.config.worker_id;
        let mut load = BTreeMap::from([(me.clone(), 0)]);
        for (_, entry) in self.active() {
            if let Some(owner) = self.coming_owner(entry) {
                *load.entry(owner.to_owned()).or_default() += 1;
            } else if !self.is_expired(entry) {
                if let Some(reader) = &entry.lease.checkpoint_owner {
                    load.entry(reader.clone()).or_default();
                }
                if let Some(owner) = &entry.lease.owner {
                    *load.entry(owner.clone()).or_default() += 1;
                }
            }
        }
        load
    }

    /// Leases without a live owner: very old ones first, then unowned ones, then expired ones; each in a
    /// random order, so that workers that see the same do not all try the same.
    pub(super) fn free_leases(&mut self) -> Vec<String> {
        let mut free: Vec<String> = self
            .leases
            .iter()
            .filter(|(key, entry)| {
                self.is_open_to_writes(key, entry)
                    && self.reads(&entry.lease)
                    && (entry.lease.actual_owner().is_none() || self.is_expired(entry))
            })
            .map(|(key, _)| key.clone())
            .collect();
        self.seed.shuffle(&mut free);
        free.sort_by_key(|key| {
            let is_owned = self.leases.get(key).is_some_and(|entry| entry.lease.actual_owner().is_some());
            (!self.is_very_old(key), is_owned)
        });
        free
    }

    /// The worker that a lease goes to by a write of this worker that is under way.
    fn coming_owner<'a>(&'a self, entry: &'a Entry) -> Option<&'a str> {
        match &entry.in_flight.as_ref()?.operation {
            Operation::Take => Some(&self.config.worker_id),
            Operation::Assign(to) | Operation::RequestHandoff(to) => Some(to),
            _ => None,
        }
    }

    /// The worker that has a lease, or will have it.
    pub(super) fn next_owner<'a>(&'a self, entry: &'a Entry) -> Option<&'a str> {
        self.coming_owner(entry).or(entry.lease.owner.as_deref())
    }

    /// Whether a handoff takes too long: its next owner, or a leader, passes the present one over.
    pub(super) fn is_late(&self, entry: &Entry) -> bool {
        let patience_ms = self.config.handoff_timeout_ms + self.config.failover_ms;
        entry.handoff_since_ms.is_some_and(|since| self.now >= since + patience_ms)
    }

    /// Whether an owned lease was not renewed for the failover time, as this worker saw it (KCL `Lease.isExpired`), and its owner
    /// has no session either.
    pub(super) fn is_expired(&self, entry: &Entry) -> bool {
        entry.hold.is_none()
            && entry.lease.actual_owner().is_some()
            && !self.has_session(entry)
            && (self.now >= entry.unmoved_since_ms + self.config.failover_ms || self.has_lost_session(entry))
    }

    fn is_very_old(&self, key: &str) -> bool {
        self.is_unmoved_for(key, VERY_OLD)
    }

    /// Whether nobody has written to the lease for so many failover times.
    pub(super) fn is_unmoved_for(&self, key: &str, failovers: u64) -> bool {
        self.leases
            .get(key)
            .is_some_and(|entry| self.now >= entry.unmoved_since_ms + failovers * self.config.failover_ms)
    }

    /// Whether this worker may write to a lease it does not hold: what it knows of it is up to date.
    pub(super) fn is_open_to_writes(&self, key: &str, entry: &Entry) -> bool {
        entry.hold.is_none()
            && entry.in_flight.is_none()
            && !entry.is_outdated
            && !entry.lease.is_ended()
            && !self.creating.contains_key(key)
    }
}
