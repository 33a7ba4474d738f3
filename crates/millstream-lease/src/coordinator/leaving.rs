//! Giving leases up in order: to a worker that asked, or to all at a shutdown.

use super::state::{Entry, Leaving, Operation, Phase, Reason};
use super::{Action, Coordinator};

impl Coordinator {
    /// Another worker asked for the lease.
    pub(super) fn hand_over(&mut self, key: &str) {
        tracing::info!(lease = key, "asked to hand over");
        self.leave(key, Reason::Handoff, self.now + self.config.handoff_timeout_ms);
        self.advance(key);
    }

    pub(super) fn shut_down(&mut self) {
        if self.shutdown_ms.is_some() {
            return;
        }
        let deadline_ms = self.now + self.config.shutdown_timeout_ms;
        self.shutdown_ms = Some(deadline_ms);
        let keys: Vec<String> = self.leases.keys().cloned().collect();
        for key in keys {
            self.leave_for_good(&key, deadline_ms);
        }
        // Left by a write whose outcome is unknown, or lost: the table may name this worker all the same.
        let mut unheld = self.leases.values().filter(|entry| entry.hold.is_none() && !entry.lease.is_ended());
        if unheld.any(|entry| entry.is_outdated) {
            self.look_once_more();
        }
        self.give_back();
        self.advance_all();
    }

    /// Withdraws what this worker has asked for and does not want any more, and releases what it was given meanwhile: in a
    /// shutdown all, else leases of streams that it does not read. Otherwise the old owner would hand over to nobody, and the
    /// shard would wait for the failover time.
    pub(super) fn give_back(&mut self) {
        let me = Some(self.config.worker_id.as_str());
        let is_unwanted = |entry: &Entry| self.shutdown_ms.is_some() || !self.reads(&entry.lease);
        let is_mine = |(key, entry): &(&String, &Entry)| {
            entry.lease.owner.as_deref() == me && is_unwanted(entry) && self.is_open_to_writes(key, entry)
        };
        let operation = |entry: &Entry| match entry.lease.checkpoint_owner {
            Some(_) => Operation::WithdrawHandoff,
            None => Operation::Release,
        };
        let mine = self.leases.iter().filter(is_mine).map(|(key, entry)| (key.clone(), operation(entry)));
        for (key, operation) in mine.collect::<Vec<_>>() {
            self.send(&key, operation);
        }
    }

    /// In a shutdown, where it is not known what a write has left in the table.
    pub(super) fn look_once_more(&mut self) {
        if self.shutdown_ms.is_some_and(|deadline_ms| self.now < deadline_ms) {
            self.last_look_since = Some(self.step);
            self.scan.hurry(self.now);
        }
    }

    /// To be released when it is finished, to whoever takes it.
    pub(super) fn leave_for_good(&mut self, key: &str, deadline_ms: u64) {
        self.leave(key, Reason::Release, deadline_ms);
    }

    /// Starts to give up a held lease. A handoff asked for stays one; the earlier deadline counts.
    fn leave(&mut self, key: &str, reason: Reason, deadline_ms: u64) {
        let Some(hold) = self.held_mut(key) else {
            return;
        };
        hold.leaving = Some(match hold.leaving {
            None => Leaving { reason, deadline_ms },
            Some(before) => Leaving {
                reason: if reason == Reason::Handoff { reason } else { before.reason },
                deadline_ms: before.deadline_ms.min(deadline_ms),
            },
        });
        match hold.phase {
            Phase::Waiting => hold.phase = Phase::Idle,
            Phase::Reading => {
                hold.phase = Phase::Draining;
                self.actions.push(Action::StopReading { key: key.to_owned(), drain: true });
            }
            Phase::Draining | Phase::Idle => {}
        }
    }

    /// The worker that a lease is on its way to does not want it: it goes to whoever takes it.
    pub(super) fn withdrawn_by_asker(&mut self, key: &str) {
        if let Some(leaving) = self.held_mut(key).and_then(|hold| hold.leaving.as_mut()) {
            leaving.reason = Reason::Release;
        }
    }

    /// Nothing of the lease's shard is in flight any more.
    pub(super) fn drained(&mut self, key: &str) {
        if let Some(hold) = self.held_mut(key)
            && hold.phase == Phase::Draining
        {
            hold.phase = Phase::Idle;
            self.advance(key);
        }
    }

    /// Drops what is still in flight when there is no more time for it.
    pub(super) fn leave_at_deadline(&mut self, key: &str) {
        let now = self.now;
        if let Some(hold) = self.held_mut(key)
            && hold.phase == Phase::Draining
            && hold.leaving.is_some_and(|leaving| now >= leaving.deadline_ms)
        {
            tracing::warn!(lease = key, "given up before all that was read is processed");
            hold.phase = Phase::Idle;
            self.actions.push(Action::StopReading { key: key.to_owned(), drain: false });
        }
    }

    /// After the end of a shutdown's time no failed write is repeated: the lease expires by itself.
    pub(super) fn give_up_when_late(&mut self, key: &str) {
        if self.shutdown_ms.is_some_and(|deadline_ms| self.now >= deadline_ms) {
            self.lose(key);
        }
    }

    pub(super) fn finish_shutdown(&mut self) {
        let is_late = self.shutdown_ms.is_some_and(|deadline_ms| self.now >= deadline_ms);
        let is_busy = self.session.is_busy()
            || self.membership.is_busy()
            || (self.last_look_since.is_some() && !is_late)
            || self.leading.is_busy()
            || self.creating.values().any(|creating| creating.is_in_flight)
            || self.leases.values().any(|entry| entry.hold.is_some() || entry.in_flight.is_some());
        if self.shutdown_ms.is_some() && !is_busy {
            self.is_done = true;
            self.actions.push(Action::Done);
        }
    }
}
