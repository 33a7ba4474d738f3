//! One sign of life for all leases of this worker, in place of a renewal of each (`Heartbeat::Worker`).
//!
//! A session is to a worker what the counter is to a lease. A sign of life succeeds only while the session is as this worker left
//! it, and whoever ends another worker's session does so only where it has not changed for the failover time: of the two writes
//! one is refused. So rule 3 of the coordinator holds for all leases of a worker at once:
//! * A worker whose session was ended, or that could show no sign of life for the failover time, has no leases any more.
//! * Nobody takes the leases of a worker that has a session, and a worker without a session takes none.
//! * That a worker has no session counts only if that was asked after its lease was seen as it is: the session is begun first.
//!
//! Who changes leases tells so with its next sign of life, whose answer has everybody's. So the table need not be scanned again
//! and again.

use std::collections::{BTreeMap, BTreeSet};

use super::periodic::Retry;
use super::state::Entry;
use super::{Action, Coordinator};
use crate::{Heartbeat, SessionAnswer, SessionWrite, Sessions};

#[derive(Debug, Default)]
pub(super) struct Session {
    held: Option<Held>,
    /// The write under way; the step and the time in which it was sent.
    under_way: Option<(SessionWrite, u64, u64)>,
    retry: Retry,
    /// Writes that were answered: makes each version another one. One that was not answered is written again as it was, and
    /// recognised if it was carried out.
    answered: u64,
    /// The other workers' sessions.
    others: BTreeMap<String, Seen>,
    /// Workers that had a session and have none, as long as they have leases.
    pub(super) gone: BTreeSet<String>,
    /// As far as this worker knows.
    changes: u64,
    /// The step in which the write was sent that all this was learned by.
    pub(super) known_step: u64,
    /// This worker has changed leases, and others don't know yet.
    pub(super) has_news: bool,
    /// Something was seen that an answer from now on is needed for.
    pub(super) wants_answer: bool,
    /// Somebody without a session has leases: a worker that renews each, and takes those that are not.
    has_others_without: bool,
}

/// This worker's session.
#[derive(Debug)]
struct Held {
    version: String,
    /// When the last sign of life was sent.
    sent_ms: u64,
}

/// Another worker's session.
#[derive(Debug)]
struct Seen {
    version: String,
    /// Since when the version is as it is, by this worker's clock.
    since_ms: u64,
}

impl Session {
    /// Whether something is held, or under way, that a shutdown waits for.
    pub(super) fn is_busy(&self) -> bool {
        self.held.is_some() || self.under_way.is_some()
    }
}

impl Coordinator {
    pub(super) fn has_session_mode(&self) -> bool {
        self.config.heartbeat == Heartbeat::Worker
    }

    /// Whether this worker may take leases.
    pub(super) fn may_hold(&self) -> bool {
        !self.has_session_mode() || self.session.held.is_some()
    }

    /// When the leases are lost that this worker has by its session; `None`: they are renewed one by one.
    pub(super) fn session_lost_ms(&self) -> Option<u64> {
        let held = self.session.held.as_ref();
        self.has_session_mode().then(|| held.map_or(0, |held| held.sent_ms + self.config.failover_ms))
    }

    /// Whether each lease is to be renewed: also where workers are about that know of no sessions.
    pub(super) fn renews_leases(&self) -> bool {
        !self.has_session_mode() || self.session.has_others_without || self.membership.reports()
    }

    /// Whether a worker lives by its session.
    pub(super) fn lives_by_session(&self, worker: &str) -> bool {
        self.session.others.contains_key(worker)
    }

    /// Whether the lease's owner does.
    pub(super) fn has_session(&self, entry: &Entry) -> bool {
        entry.lease.actual_owner().is_some_and(|owner| self.lives_by_session(owner))
    }

    /// Whether the lease's owner had a session, which has ended after the lease was seen as it is.
    pub(super) fn has_lost_session(&self, entry: &Entry) -> bool {
        let owner = entry.lease.actual_owner();
        entry.moved_step <= self.session.known_step && owner.is_some_and(|owner| self.session.gone.contains(owner))
    }

    /// Sends the write that is due.
    pub(super) fn attend_session(&mut self) {
        if !self.has_session_mode() || self.session.under_way.is_some() || self.now < self.session.retry.not_before_ms {
            return;
        }
        let Some(write) = self.next_session_write() else { return };
        if let SessionWrite::Beat { tells: true, .. } = write {
            self.session.has_news = false;
        }
        self.session.wants_answer = false;
        self.session.under_way = Some((write.clone(), self.step, self.now));
        self.actions.push(Action::WriteSession(write));
    }

    fn next_session_write(&self) -> Option<SessionWrite> {
        let worker = self.config.worker_id.clone();
        let Some(held) = &self.session.held else {
            return self.shutdown_ms.is_none().then(|| SessionWrite::Begin { worker, version: self.next_version() });
        };
        let seen = held.version.clone();
        if self.has_nothing_left() {
            return Some(SessionWrite::End { worker, seen });
        }
        let tells = self.session.has_news;
        if tells || self.session.wants_answer || self.now >= held.sent_ms + self.config.beat_interval_ms() {
            return Some(SessionWrite::Beat { worker, seen, version: self.next_version(), tells });
        }
        let mut others = self.session.others.iter();
        let (other, seen) = others.find(|(_, seen)| self.now >= seen.since_ms + self.config.failover_ms)?;
        tracing::warn!(worker = other, "shows no sign of life: its session is ended");
        Some(SessionWrite::End { worker: other.clone(), seen: seen.version.clone() })
    }

    /// A version that no session of any process ever had.
    fn next_version(&self) -> String {
        format!("{}-{}", self.nonce, self.session.answered)
    }

    /// Whether this worker stops, and has given all back.
    fn has_nothing_left(&self) -> bool {
        self.shutdown_ms.is_some()
            && self.last_look_since.is_none()
            && self.leases.values().all(|entry| entry.hold.is_none() && entry.in_flight.is_none())
            && !self.creating.values().any(|creating| creating.is_in_flight)
    }

    pub(super) fn session_written(&mut self, answer: SessionAnswer) {
        let Some((write, step, sent_ms)) = self.session.under_way.take() else {
            return;
        };
        self.session.retry.succeeded();
        self.session.answered += 1;
        let me = &self.config.worker_id;
        let told = u64::from(answer.is_done && write.tells());
        match write {
            SessionWrite::Begin { version, .. } => {
                self.session.held = Some(Held { version, sent_ms });
                self.scan.hurry(self.now);
            }
            SessionWrite::Beat { version, .. } if answer.is_done => {
                self.session.held = Some(Held { version, sent_ms });
            }
            SessionWrite::End { worker, .. } if worker == *me => self.session.held = None,
            SessionWrite::Beat { .. } | SessionWrite::End { .. } => {}
        }
        let is_over = |held: &mut Held| answer.sessions.versions.get(me) != Some(&held.version);
        if self.session.held.take_if(is_over).is_some() {
            tracing::warn!(worker = me, "its session was ended by another worker: its leases are lost");
        }
        self.hear(answer.sessions, told, step);
    }

    /// Takes in what all have shown and told. `told`: how often this worker has, by the write whose answer it is.
    fn hear(&mut self, sessions: Sessions, told: u64, step: u64) {
        let (versions, me, now) = (sessions.versions, &self.config.worker_id, self.now);
        let Session { others, gone, changes, .. } = &mut self.session;
        let ended = others.keys().filter(|worker| !versions.contains_key(*worker)).cloned();
        gone.extend(ended);
        gone.retain(|worker| !versions.contains_key(worker));
        others.retain(|worker, _| versions.contains_key(worker));
        for (worker, version) in versions.into_iter().filter(|(worker, _)| worker != me) {
            match others.get_mut(&worker) {
                Some(seen) if seen.version == version => {}
                _ => drop(others.insert(worker, Seen { version, since_ms: now })),
            }
        }
        let has_changed = sessions.changes != *changes + told;
        *changes = sessions.changes;
        self.session.known_step = step;
        let is_without = |entry: &Entry| {
            entry.moved_step <= step
                && entry.lease.actual_owner().is_some_and(|owner| owner != self.config.worker_id)
                && !self.has_session(entry)
                && !self.is_expired(entry)
        };
        let has_others_without = self.active().any(|(_, entry)| is_without(entry));
        // Which of them are to be taken is decided after a scan.
        let has_unclear = self.active().any(|(_, entry)| self.has_lost_session(entry));
        self.session.has_others_without = has_others_without;
        if has_changed || has_others_without || has_unclear {
            self.scan.hurry(self.now);
        }
        self.advance_all();
    }

    pub(super) fn session_failed(&mut self, reason: String) {
        let Some((write, ..)) = self.session.under_way.take() else {
            return;
        };
        self.session.retry.failed(self.now, reason);
        self.session.has_news |= write.tells();
        // What is left of it ends by itself.
        if self.shutdown_ms.is_some_and(|deadline_ms| self.now >= deadline_ms) && self.has_nothing_left() {
            self.session.held = None;
        }
    }

    /// When time alone makes a difference to the session.
    pub(super) fn session_wake_ms(&self) -> u64 {
        if !self.has_session_mode() || self.session.under_way.is_some() {
            return u64::MAX;
        }
        let (session, failover_ms) = (&self.session, self.config.failover_ms);
        let due_ms = match &session.held {
            None if self.shutdown_ms.is_some() => return u64::MAX,
            None => 0,
            Some(_) if session.has_news || session.wants_answer || self.has_nothing_left() => 0,
            Some(held) => held.sent_ms + self.config.beat_interval_ms(),
        };
        let dead_ms = session.others.values().map(|seen| seen.since_ms + failover_ms).min().unwrap_or(u64::MAX);
        due_ms.min(dead_ms).max(session.retry.not_before_ms)
    }
}
