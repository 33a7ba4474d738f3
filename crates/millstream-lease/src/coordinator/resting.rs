//! How soon the table is scanned again.
//!
//! Each worker judges by its own scans that another one is gone, so that it must look as often as it is to notice that, and at once
//! while leases change hands. A table in which nothing changes is looked at by all workers in turn.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::Coordinator;
use super::state::Entry;

#[derive(Debug, Default)]
pub(super) struct Resting {
    /// Whose leases there were at the last scan.
    seen: u64,
    /// When that was another table than before.
    changed_ms: u64,
}

impl Coordinator {
    /// After a scan. Puts the next one off where nothing is to be waited for.
    pub(super) fn rest_after_scan(&mut self) {
        if self.has_session_mode() {
            self.ask_after_scan();
        }
        self.note_owners();
        let lives_by_session = self.has_session_mode() && !self.renews_leases();
        // By sessions, who releases a lease tells of it.
        let is_settled = |entry: &Entry| is_settled(entry) && (lives_by_session || entry.lease.owner.is_some());
        if self.shutdown_ms.is_some() || !self.creating.is_empty() || !self.active().all(|(_, entry)| is_settled(entry))
        {
            return;
        }
        if lives_by_session {
            if self.may_hold() {
                self.scan.put_off(self.config.shard_sync_ms);
            }
            return;
        }
        if self.now < self.resting.changed_ms + self.config.failover_ms {
            return;
        }
        self.scan.put_off(self.config.settled_scan_interval_ms(self.load().len()));
        // A lease that its owner does not renew: looked at when it expires, and not later.
        let others = self.active().filter(|(_, entry)| entry.hold.is_none());
        if let Some(expired_ms) = others.map(|(_, entry)| entry.unmoved_since_ms + self.config.failover_ms).min() {
            self.scan.bring_forward(expired_ms.max(self.now + self.config.scan_interval_ms));
        }
    }

    fn note_owners(&mut self) {
        let mut hasher = DefaultHasher::new();
        for (key, entry) in &self.leases {
            (key, &entry.lease.owner, &entry.lease.checkpoint_owner, entry.lease.is_ended()).hash(&mut hasher);
        }
        let seen = hasher.finish();
        if seen != self.resting.seen {
            self.resting = Resting { seen, changed_ms: self.now };
        }
    }
}

/// Whether the lease is not on its way to another worker.
fn is_settled(entry: &Entry) -> bool {
    match &entry.hold {
        Some(hold) => hold.leaving.is_none(),
        None => entry.in_flight.is_none() && !entry.is_outdated && entry.lease.checkpoint_owner.is_none(),
    }
}
