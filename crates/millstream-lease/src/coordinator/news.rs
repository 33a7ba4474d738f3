//! What is told with a sign of life, and when the table is scanned where workers tell each other (see [`session`](super::session)).

use std::collections::BTreeSet;

use millstream_kinesis::Checkpoint;

use super::state::{Entry, InFlight, Operation};
use super::{Coordinator, Event};

impl Coordinator {
    /// After a scan, in the session mode: asks anew where it is not known whether an owner has ended its session.
    pub(super) fn ask_after_scan(&mut self) {
        let is_unclear = |entry: &Entry| {
            let owner = entry.lease.actual_owner();
            entry.moved_step > self.session.known_step
                && owner.is_some_and(|owner| owner != self.config.worker_id && !self.lives_by_session(owner))
        };
        let has_unclear = self.active().any(|(_, entry)| is_unclear(entry));
        let owners: BTreeSet<&str> = self.active().filter_map(|(_, entry)| entry.lease.actual_owner()).collect();
        let gone = self.session.gone.iter().filter(|gone| owners.contains(gone.as_str())).cloned().collect();
        self.session.gone = gone;
        self.session.wants_answer |= has_unclear;
    }

    /// Before an event is taken in: what it tells of is news for the others, or makes a scan worth while.
    pub(super) fn note_news(&mut self, event: &Event) {
        if !self.has_session_mode() {
            return;
        }
        let is_end = |key: &str| {
            let in_flight = self.leases.get(key).and_then(|entry| entry.in_flight.as_ref());
            let end = Operation::Checkpoint(Checkpoint::ShardEnd);
            in_flight.is_some_and(|InFlight { operation, .. }| *operation == end)
        };
        let is_news = match event {
            Event::Created { .. }
            | Event::Taken(_)
            | Event::HandoffAsked { .. }
            | Event::HandoffWithdrawn { .. }
            | Event::HandedOver { .. }
            | Event::Released { .. } => true,
            Event::Checkpointed { key, .. } => is_end(key),
            _ => false,
        };
        self.session.has_news |= is_news;
        let is_doubtful = matches!(
            event,
            Event::HandoffRequested { .. }
                | Event::NotWantedAnyMore { .. }
                | Event::Refused { .. }
                | Event::Failed { .. }
                | Event::Deleted { .. }
        );
        if is_news || is_doubtful {
            self.scan.bring_forward(self.now + self.config.scan_interval_ms);
        }
    }
}
