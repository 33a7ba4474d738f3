//! What is done with the leases this worker holds.

use millstream_kinesis::{Checkpoint, InitialPosition};

use super::state::{Entry, Hold, InFlight, Operation, Phase, Reason};
use super::{Action, Coordinator};
use crate::split_key;

impl Coordinator {
    pub(super) fn advance_all(&mut self) {
        let held: Vec<String> =
            self.leases.iter().filter(|(_, entry)| entry.hold.is_some()).map(|(key, _)| key.clone()).collect();
        for key in held {
            self.advance(&key);
        }
    }

    /// Does what a held lease needs now.
    pub(super) fn advance(&mut self, key: &str) {
        if self.is_unrenewed(key) {
            tracing::warn!(lease = key, "not renewed within the failover time, stopped by itself");
            self.lose(key);
            if self.shutdown_ms.is_none() && !self.renews_leases() {
                self.scan.hurry(self.now);
            }
            return;
        }
        self.leave_at_deadline(key);
        self.start_reading(key);
        self.create_children(key);
        let Some(entry) = self.leases.get(key) else {
            return;
        };
        if let Some(hold) = &entry.hold
            && entry.in_flight.is_none()
            && self.now >= entry.retry.not_before_ms
            && let Some(operation) = self.next_operation(entry, hold)
        {
            self.send(key, operation);
        }
    }

    /// Whether the lease may have been taken by another worker, by this worker's own clock.
    fn is_unrenewed(&self, key: &str) -> bool {
        self.held(key).is_some_and(|hold| self.now >= self.lost_ms(hold))
    }

    /// When a lease is lost unless a sign of life succeeds before.
    pub(super) fn lost_ms(&self, hold: &Hold) -> u64 {
        self.session_lost_ms().unwrap_or(hold.renewed_ms + self.config.failover_ms)
    }

    fn start_reading(&mut self, key: &str) {
        let is_waiting = self.held(key).is_some_and(|hold| hold.phase == Phase::Waiting);
        if !is_waiting || !self.parents_have_ended(key) {
            return;
        }
        // A lease written by KCL 1 does not know it.
        let listed_range = self.listed_range(key);
        let start = self.streams.get(split_key(key).0).map_or(self.config.initial, |stream| stream.start.initial);
        if let Some(entry) = self.leases.get_mut(key)
            && let Some(hold) = &mut entry.hold
        {
            hold.phase = Phase::Reading;
            let initial = match (&entry.lease.checkpoint, entry.lease.latest_since_ms) {
                (Checkpoint::Latest, Some(ms)) => InitialPosition::AtTimestamp(ms),
                (Checkpoint::Latest, None) => InitialPosition::Latest,
                _ => start,
            };
            self.actions.push(Action::StartReading {
                key: key.to_owned(),
                checkpoint: entry.lease.checkpoint.clone(),
                initial,
                hash_range: entry.lease.hash_range.or(listed_range),
            });
        }
    }

    pub(super) fn next_operation(&self, entry: &Entry, hold: &Hold) -> Option<Operation> {
        if hold.is_uncertain {
            return Some(Operation::Renew);
        }
        if let Some((pending, state)) = hold.prepare.clone() {
            return Some(Operation::Prepare(pending, state));
        }
        let checkpoint = self.unwritten(entry, hold);
        if let Some(leaving) = hold.leaving
            && hold.phase == Phase::Idle
        {
            let is_late = self.now >= leaving.deadline_ms;
            let completion = match leaving.reason {
                Reason::Handoff => Operation::CompleteHandoff,
                Reason::Release => Operation::Release,
            };
            if let Some(checkpoint) = checkpoint {
                return Some(Operation::Checkpoint(checkpoint));
            } else if !hold.is_finished || !hold.deferred.is_empty() || is_late {
                // The end waits for the leases of the children that are being created, not for those of other workers' shards.
                return Some(completion);
            }
        } else if let Some(checkpoint) = checkpoint
            && self.now >= self.checkpoint_due_ms(entry, hold, &checkpoint)
        {
            return Some(Operation::Checkpoint(checkpoint));
        }
        let is_due = self.renews_leases() && self.now >= hold.renewed_ms + self.config.renew_interval_ms();
        is_due.then_some(Operation::Renew)
    }

    /// The checkpoint that may be written and is not.
    pub(super) fn unwritten(&self, entry: &Entry, hold: &Hold) -> Option<Checkpoint> {
        let children = hold.children.as_ref();
        let children_have_leases = children
            .is_some_and(|all| all.iter().all(|child| !self.creating.contains_key(&*entry.lease.sibling(&child.id))));
        if hold.is_finished && children_have_leases && hold.deferred.is_empty() {
            return Some(Checkpoint::ShardEnd);
        }
        hold.processed.clone().filter(|processed| *processed > entry.lease.checkpoint)
    }

    pub(super) fn checkpoint_due_ms(&self, entry: &Entry, hold: &Hold, checkpoint: &Checkpoint) -> u64 {
        let is_asked_for = hold.flush_to.as_ref().is_some_and(|to| *to > entry.lease.checkpoint);
        if is_asked_for || *checkpoint == Checkpoint::ShardEnd {
            0
        } else {
            hold.checkpointed_ms.saturating_add(self.config.checkpoint_interval_ms)
        }
    }

    /// Sends a write; one per lease at a time.
    pub(super) fn send(&mut self, key: &str, operation: Operation) {
        let Some(entry) = self.leases.get_mut(key) else {
            return;
        };
        if matches!(operation, Operation::Renew | Operation::Checkpoint(_)) {
            entry.measure(self.now, self.config.renew_interval_ms());
        }
        let lease = entry.lease.clone();
        let action = match operation.clone() {
            Operation::Renew => Action::Renew(lease),
            Operation::Take => Action::Take(lease),
            Operation::Assign(to) => Action::Assign { lease, to },
            Operation::RequestHandoff(to) => Action::RequestHandoff { lease, to },
            Operation::CompleteHandoff => Action::CompleteHandoff(lease),
            Operation::WithdrawHandoff => Action::WithdrawHandoff(lease),
            Operation::Release => Action::Release(lease),
            Operation::Delete => Action::Delete(lease),
            Operation::Prepare(pending, state) => Action::Prepare { lease, pending, state },
            Operation::Checkpoint(checkpoint) => {
                let is_end = checkpoint == Checkpoint::ShardEnd;
                let children = entry.hold.as_ref().filter(|_| is_end).map(Hold::child_ids);
                Action::WriteCheckpoint { lease, checkpoint, children: children.unwrap_or_default() }
            }
        };
        entry.in_flight = Some(InFlight { operation, sent_ms: self.now });
        self.actions.push(action);
    }

    /// Gives up a lease at once: nothing more is written for it.
    pub(super) fn lose(&mut self, key: &str) {
        let Some(entry) = self.leases.get_mut(key) else {
            return;
        };
        entry.is_outdated = true;
        if let Some(hold) = entry.hold.take() {
            self.lost += 1;
            if matches!(hold.phase, Phase::Reading | Phase::Draining) {
                self.actions.push(Action::StopReading { key: key.to_owned(), drain: false });
            }
        }
    }

    pub(super) fn held(&self, key: &str) -> Option<&Hold> {
        self.leases.get(key)?.hold.as_ref()
    }

    pub(super) fn held_mut(&mut self, key: &str) -> Option<&mut Hold> {
        self.leases.get_mut(key)?.hold.as_mut()
    }
}
