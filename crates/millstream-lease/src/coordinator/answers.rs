//! What the store answered about one lease.

use super::Coordinator;
use super::state::{Entry, Hold, InFlight, Operation};
use crate::Lease;

impl Coordinator {
    /// The lease whose write under way was answered. `None`: nothing was asked.
    pub(super) fn answered(&mut self, key: &str) -> Option<(&mut Entry, InFlight)> {
        let step = self.step;
        let entry = self.leases.get_mut(key)?;
        let in_flight = entry.in_flight.take()?;
        entry.written_step = step;
        Some((entry, in_flight))
    }

    /// The same for a write that succeeded and moved the counter of a lease that is still held.
    fn moved(&mut self, key: &str, counter: u64) -> Option<(&mut Entry, InFlight)> {
        let now = self.now;
        let (entry, in_flight) = self.answered(key)?;
        entry.retry.succeeded();
        entry.lease.counter = counter;
        entry.unmoved_since_ms = now;
        if let Some(hold) = &mut entry.hold {
            hold.renewed_ms = in_flight.sent_ms;
            hold.is_uncertain = false;
        }
        Some((entry, in_flight))
    }

    pub(super) fn renewed(&mut self, key: &str, counter: u64) {
        self.moved(key, counter);
        self.advance(key);
    }

    pub(super) fn taken(&mut self, lease: Lease) {
        let key = lease.key.clone();
        let (now, step, shutdown_ms) = (self.now, self.step, self.shutdown_ms);
        let failover_ms = self.config.failover_ms;
        let Some((entry, in_flight)) = self.answered(&key) else {
            return;
        };
        entry.retry.succeeded();
        entry.observe(lease, now, step);
        // One that was under way for too long may be another worker's by now.
        if in_flight.operation != Operation::Take || now >= in_flight.sent_ms + failover_ms {
            entry.is_outdated |= in_flight.operation == Operation::Take;
            return;
        }
        entry.hold = Some(Hold::new(in_flight.sent_ms));
        if let Some(deadline) = shutdown_ms {
            self.leave_for_good(&key, deadline);
        } else if !self.leases.get(&key).is_some_and(|entry| self.reads(&entry.lease)) {
            self.leave_former(&key);
        }
        self.advance(&key);
    }

    pub(super) fn handoff_asked(&mut self, key: &str) {
        let (now, step) = (self.now, self.step);
        let Some((entry, in_flight)) = self.answered(key) else {
            return;
        };
        entry.retry.succeeded();
        let Operation::RequestHandoff(to) = in_flight.operation else {
            return;
        };
        let mut lease = entry.lease.clone();
        lease.checkpoint_owner = lease.owner.replace(to);
        entry.observe(lease, now, step);
        // A leader gives its own away, too.
        if entry.hold.is_some() {
            self.hand_over(key);
        } else {
            self.give_back();
        }
    }

    pub(super) fn handoff_withdrawn(&mut self, key: &str) {
        let (now, step) = (self.now, self.step);
        if let Some((entry, _)) = self.answered(key) {
            entry.retry.succeeded();
            let mut lease = entry.lease.clone();
            lease.owner = lease.checkpoint_owner.take();
            entry.observe(lease, now, step);
        }
    }

    pub(super) fn handed_over(&mut self, key: &str) {
        self.given_up(key, |lease| lease.checkpoint_owner = None);
    }

    pub(super) fn released(&mut self, key: &str) {
        self.given_up(key, |lease| lease.owner = None);
    }

    fn given_up(&mut self, key: &str, change: impl FnOnce(&mut Lease)) {
        let (now, step) = (self.now, self.step);
        if let Some((entry, _)) = self.answered(key) {
            entry.retry.succeeded();
            let mut lease = entry.lease.clone();
            lease.counter += 1;
            change(&mut lease);
            entry.observe(lease, now, step);
            entry.hold = None;
        }
    }

    pub(super) fn checkpointed(&mut self, key: &str, counter: u64) {
        let Some((entry, in_flight)) = self.moved(key, counter) else {
            return;
        };
        let Operation::Checkpoint(checkpoint) = in_flight.operation else {
            return;
        };
        entry.lease.owner_switches = 0;
        entry.lease.pending_checkpoint = None;
        entry.lease.pending_state = None;
        entry.lease.checkpoint = checkpoint;
        if let Some(hold) = &mut entry.hold {
            hold.checkpointed_ms = in_flight.sent_ms;
        }
        if entry.lease.is_ended() {
            entry.lease.children = entry.hold.as_ref().map(Hold::child_ids).unwrap_or_default();
            self.lose(key);
            self.advance_all();
        } else {
            self.advance(key);
        }
    }

    pub(super) fn prepared(&mut self, key: &str, counter: u64) {
        let Some((entry, in_flight)) = self.moved(key, counter) else {
            return;
        };
        if let Operation::Prepare(pending, state) = in_flight.operation {
            if let Some(hold) = &mut entry.hold {
                // Another one may have been asked for meanwhile.
                hold.prepare.take_if(|asked| asked.0 == pending && asked.1 == state);
            }
            (entry.lease.pending_checkpoint, entry.lease.pending_state) = (Some(pending), state);
        }
        self.advance(key);
    }

    pub(super) fn deleted(&mut self, key: &str) {
        if self.former_answered(key) {
            return;
        }
        if self.answered(key).is_some() {
            self.leases.remove(key);
        }
    }

    /// The stored lease has moved on. A refused end of a lease is looked into by a renewal: another worker
    /// may have asked for the lease meanwhile.
    pub(super) fn refused(&mut self, key: &str) {
        let now = self.now;
        if self.former_answered(key) {
            return;
        }
        let Some((entry, in_flight)) = self.answered(key) else {
            return;
        };
        entry.is_outdated = true;
        let is_end = matches!(in_flight.operation, Operation::Release | Operation::CompleteHandoff);
        match &mut entry.hold {
            Some(hold) if is_end => {
                hold.is_uncertain = true;
                entry.retry.failed(now, "the lease changed meanwhile".to_owned());
                self.give_up_when_late(key);
            }
            Some(_) => {
                tracing::info!(lease = key, "lost to another worker");
                self.lose(key);
                self.look_once_more();
            }
            // What this worker asked for may be its own by now.
            None if in_flight.operation == Operation::WithdrawHandoff => self.look_once_more(),
            None => {}
        }
    }

    /// Whether the write was done is unknown. That of a held lease is found out by a renewal.
    pub(super) fn failed(&mut self, key: &str, reason: String) {
        let now = self.now;
        if self.former_answered(key) {
            return;
        }
        if let Some(creating) = self.creating.get_mut(key)
            && creating.is_in_flight
        {
            creating.is_in_flight = false;
            creating.retry.failed(now, reason);
            return;
        }
        let Some((entry, _)) = self.answered(key) else {
            return;
        };
        entry.is_outdated = true;
        entry.retry.failed(now, reason);
        if let Some(hold) = &mut entry.hold {
            hold.is_uncertain = true;
        } else {
            self.look_once_more();
        }
        self.give_up_when_late(key);
    }
}
