//! What a reader hears of the handoffs of its leases: by a renewal that was refused, or by a scan.

use super::Coordinator;
use crate::Lease;

impl Coordinator {
    pub(super) fn handoff_requested(&mut self, lease: Lease) {
        let key = lease.key.clone();
        if self.renewed_as(lease) {
            self.hand_over(&key);
        }
    }

    /// What was read is finished all the same, and the lease is given to whoever takes it.
    pub(super) fn not_wanted_any_more(&mut self, lease: Lease) {
        let key = lease.key.clone();
        if self.renewed_as(lease) {
            self.withdrawn_by_asker(&key);
            self.advance(&key);
        }
    }

    /// A renewal told that the lease has changed. `false`: nothing was asked.
    fn renewed_as(&mut self, lease: Lease) -> bool {
        let (now, step, key) = (self.now, self.step, lease.key.clone());
        let Some((entry, in_flight)) = self.answered(&key) else {
            return false;
        };
        entry.retry.succeeded();
        let has_moved = lease.counter > entry.lease.counter;
        entry.observe(lease, now, step);
        if let Some(hold) = &mut entry.hold {
            hold.is_uncertain = false;
            if has_moved {
                hold.renewed_ms = in_flight.sent_ms;
            }
        }
        true
    }

    /// A lease held by this worker, as scanned: tells of a handoff, or of its loss, before the next renewal does.
    pub(super) fn check_held(&mut self, scanned: Lease) {
        let key = scanned.key.clone();
        let (now, step) = (self.now, self.step);
        let Some(entry) = self.leases.get_mut(&key) else {
            return;
        };
        let me = Some(self.config.worker_id.as_str());
        if scanned.actual_owner() != me {
            if scanned.counter > entry.lease.counter {
                entry.observe(scanned, now, step);
                self.lose(&key);
            }
        } else if scanned.checkpoint_owner.is_some()
            && entry.lease.checkpoint_owner.is_none()
            && scanned.counter == entry.lease.counter
        {
            entry.observe(scanned, now, step);
            self.hand_over(&key);
        } else if scanned.counter == entry.lease.counter && scanned.owner != entry.lease.owner {
            // Withdrawn, or asked for by another worker since.
            let is_withdrawn = scanned.checkpoint_owner.is_none();
            entry.observe(scanned, now, step);
            if is_withdrawn {
                self.withdrawn_by_asker(&key);
            }
        }
    }
}
