//! When time alone makes a difference.

use super::Coordinator;
use super::state::{Entry, Hold, Phase};

impl Coordinator {
    /// When to call again with `Tick` if nothing happens before: never before `now_ms`; `u64::MAX` if only an
    /// answer can change anything.
    pub fn next_wake(&self, now_ms: u64) -> u64 {
        if self.is_done {
            return u64::MAX;
        }
        let is_open = self.shutdown_ms.is_none();
        let scan = (&self.scan, is_open || self.last_look_since.is_some());
        let lists = self.streams.values().map(|stream| (&stream.list, is_open));
        let looks = lists.chain([scan]).filter(|(look, is_wanted)| *is_wanted && look.started_step.is_none());
        let creations = self.creating.values().filter(|creating| !creating.is_in_flight);
        let holds = self.leases.values().filter_map(|entry| Some((entry, entry.hold.as_ref()?)));
        let fleet_ms = if self.config.joins_fleet && self.shutdown_ms.is_none() {
            self.membership.due_ms().min(self.leading.due_ms())
        } else {
            u64::MAX
        };
        let times = (looks.map(|(look, _)| look.due_ms))
            .chain([fleet_ms, self.session_wake_ms()])
            .chain(creations.map(|creating| creating.retry.not_before_ms))
            .chain(holds.map(|(entry, hold)| self.lease_wake(entry, hold)));
        times.min().unwrap_or(u64::MAX).max(now_ms)
    }

    fn lease_wake(&self, entry: &Entry, hold: &Hold) -> u64 {
        let lost_ms = self.lost_ms(hold);
        let deadline_ms = hold
            .leaving
            .map(|leaving| leaving.deadline_ms)
            .filter(|deadline_ms| hold.phase == Phase::Draining || self.now < *deadline_ms)
            .unwrap_or(u64::MAX);
        let write_ms = if entry.in_flight.is_some() {
            u64::MAX
        } else {
            self.next_write_ms(entry, hold).max(entry.retry.not_before_ms)
        };
        lost_ms.min(deadline_ms).min(write_ms)
    }

    fn next_write_ms(&self, entry: &Entry, hold: &Hold) -> u64 {
        if self.next_operation(entry, hold).is_some() {
            return 0;
        }
        let renewal_ms =
            if self.renews_leases() { hold.renewed_ms + self.config.renew_interval_ms() } else { u64::MAX };
        let checkpoint_ms =
            self.unwritten(entry, hold).map_or(u64::MAX, |checkpoint| self.checkpoint_due_ms(entry, hold, &checkpoint));
        renewal_ms.min(checkpoint_ms)
    }
}
