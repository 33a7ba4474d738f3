//! Leading a fleet of KCL 3 workers: the lock, and what the leader assigns.
//!
//! As with membership, a wrong belief costs a lease moved for nothing: what two leaders write is conditional on what each
//! has seen, and no worker reads before its own write of the lease's counter has succeeded.

use std::collections::BTreeMap;

use super::periodic::Periodic;
use super::state::{Entry, Operation};
use super::{Action, Coordinator};
use crate::assignment::{AssignableLease, Assignee, AssignmentConfig, Movability, plan};
use crate::fleet::{FleetWorker, HEARTBEAT_MS, LOCK_DURATION_MS, Layout, LeaderLock};

/// Between two runs of the leader, in failover times (KCL `leaseAssignmentIntervalMillis`).
const RUN_INTERVAL: u64 = 2;
/// The first of so many runs balances, too (KCL `varianceBalancingFrequency`).
const BALANCE_EVERY: u64 = 3;

#[derive(Debug, Default)]
pub(super) struct Leading {
    /// The lock as last seen, and since when it is as it is: a clock of one machine is compared with itself alone.
    seen: Option<(LeaderLock, u64)>,
    has_looked: bool,
    /// The step in which the last look at the fleet was started.
    looked_step: u64,
    /// Leases are to be assigned after a look that was started in this step or later: what is known of the workers is older
    /// than what is known of the leases.
    waits_for: Option<u64>,
    /// The workers' rows as last seen.
    workers: Vec<FleetWorker>,
    /// Workers whose leases have expired, and when that was seen: a row lives longer than the leases of a worker that died.
    dead: BTreeMap<String, u64>,
    held: Option<Held>,
    /// Takes and keeps the lock.
    claim: Periodic,
    claimed_ms: u64,
    claimed_in: Layout,
    is_resigning: bool,
    run_due_ms: u64,
    runs: u64,
}

/// The lock while this worker has it.
#[derive(Debug)]
struct Held {
    version: String,
    layout: Layout,
    renewed_ms: u64,
}

impl Leading {
    /// Whether something is under way, or held, that a shutdown waits for.
    pub(super) fn is_busy(&self) -> bool {
        self.held.is_some() || self.claim.started_step.is_some() || self.is_resigning
    }

    /// Whether this worker leads.
    pub(super) fn is_leader(&self) -> bool {
        self.held.is_some()
    }

    pub(super) fn saw(&mut self, lock: Option<LeaderLock>, workers: Vec<FleetWorker>, (now, step): (u64, u64)) {
        (self.has_looked, self.looked_step) = (true, step);
        let is_as_before = |worker: &FleetWorker, since| now.saturating_sub(worker.age_s * 1_000) <= since;
        let row_of = |id: &str| workers.iter().find(|worker| worker.id == id);
        self.dead.retain(|id, since| row_of(id).is_some_and(|worker| is_as_before(worker, *since)));
        self.workers = workers;
        self.seen = match (self.seen.take(), lock) {
            (Some((before, since)), Some(lock)) if before == lock => Some((lock, since)),
            (_, lock) => lock.map(|lock| (lock, now)),
        };
    }

    /// Whether the lock can be taken: nobody has it, its holder is gone, or it is this worker's from a call without an answer.
    fn is_free(&self, me: &str, now: u64) -> bool {
        self.has_looked
            && self.seen.as_ref().is_none_or(|(lock, since)| {
                lock.is_released || lock.owner == me || now >= since.saturating_add(lock.duration_ms)
            })
    }

    fn is_run(&self, now: u64) -> bool {
        now >= self.run_due_ms
    }

    /// Whether leases are to be moved between workers now.
    fn balances(&self, now: u64) -> bool {
        self.is_run(now) && self.runs.is_multiple_of(BALANCE_EVERY)
    }

    /// When time alone makes a difference.
    pub(super) fn due_ms(&self) -> u64 {
        match &self.held {
            Some(held) if self.claim.started_step.is_some() => held.renewed_ms + LOCK_DURATION_MS,
            Some(_) => self.claim.due_ms,
            None => u64::MAX,
        }
    }
}

impl Coordinator {
    /// Takes, keeps or gives back the lock where that is due. `may_lead`: this worker belongs to a led fleet.
    pub(super) fn attend_lock(&mut self, may_lead: bool) {
        let (me, layout) = (&self.config.worker_id, self.membership.layout());
        let leading = &mut self.leading;
        let is_lost = |held: &mut Held| self.now >= held.renewed_ms + LOCK_DURATION_MS;
        if leading.held.take_if(is_lost).is_some() {
            tracing::warn!(worker = me, "the leader's lock was not renewed in time: it is another worker's to take");
        }
        let held = leading.held.as_ref().map(|held| held.version.clone());
        // At the end of the move to one table the lock is another row.
        let has_moved = |held: &Held| held.layout.keeps_lock_beside() != layout.keeps_lock_beside();
        let may_lead = may_lead && !leading.held.as_ref().is_some_and(has_moved);
        let is_wanted = may_lead && (held.is_some() || (!leading.is_resigning && leading.is_free(me, self.now)));
        if is_wanted && leading.claim.start(self.now, self.step, HEARTBEAT_MS) {
            (leading.claimed_ms, leading.claimed_in) = (self.now, layout);
            let seen = leading.seen.as_ref().map(|(lock, _)| lock.clone());
            self.actions.push(match held {
                Some(version) => Action::KeepLead { version, layout },
                None => Action::TakeLead { seen, layout },
            });
        } else if !may_lead
            && leading.claim.started_step.is_none()
            && let Some(Held { version, layout, .. }) = leading.held.take()
        {
            tracing::info!(worker = me, "leads no more");
            leading.is_resigning = true;
            leading.claim.hurry(self.now);
            self.actions.push(Action::Resign { version, layout });
        }
    }

    pub(super) fn lead_taken(&mut self, version: String) {
        let leading = &mut self.leading;
        if leading.claim.answered().is_none() {
            return;
        }
        if leading.held.is_none() {
            tracing::info!(worker = self.config.worker_id, "leads the workers of the lease table");
            (leading.runs, leading.run_due_ms) = (0, self.now);
            self.scan.hurry(self.now);
        }
        leading.held = Some(Held { version, layout: leading.claimed_in, renewed_ms: leading.claimed_ms });
    }

    /// Another worker has the lock. What is known of it is out of date: the next look tells.
    pub(super) fn lead_refused(&mut self) {
        self.leading.claim.answered();
        self.leading.claim.hurry(self.now);
        (self.leading.held, self.leading.seen, self.leading.has_looked) = (None, None, false);
    }

    pub(super) fn lead_failed(&mut self, reason: String) {
        self.leading.claim.failed(self.now, reason);
    }

    pub(super) fn resigned(&mut self) {
        self.leading.is_resigning = false;
        self.leading.has_looked = false;
    }

    /// After a scan: assigns at once, or looks at the fleet before where leases may change hands. A worker that has stopped
    /// since the last look has given its leases back, and would be given them, or those of another one, again.
    pub(super) fn lead_after_scan(&mut self, scan_step: u64) {
        let has_free =
            || self.leases.iter().any(|(key, entry)| matches!(self.movability(key, entry), Movability::Free(_)));
        if self.leading.held.is_some()
            && self.leading.looked_step < scan_step
            && (self.leading.balances(self.now) || has_free())
        {
            self.leading.waits_for = Some(scan_step);
            self.look_at_fleet_again();
        } else {
            self.assign_as_leader();
        }
    }

    /// After a look at the fleet, where one was waited for.
    pub(super) fn lead_after_look(&mut self) {
        let looked_step = self.leading.looked_step;
        if self.leading.waits_for.take_if(|step| *step <= looked_step).is_none() {
            return;
        }
        if self.membership.is_led() && self.shutdown_ms.is_none() {
            self.assign_as_leader();
        }
    }

    /// Assigns what has no owner at once, what has expired at each run, and balances at each third.
    fn assign_as_leader(&mut self) {
        if self.leading.held.is_none() {
            return;
        }
        let is_run = self.leading.is_run(self.now);
        let balances = self.leading.balances(self.now);
        let mut leases: Vec<AssignableLease> = self.assignable();
        if is_run {
            self.leading.runs += 1;
            self.leading.run_due_ms = self.now + RUN_INTERVAL * self.config.failover_ms;
        } else {
            // A worker of the KCL takes up to a run to find what was assigned to it.
            let expired = leases.iter_mut().filter(|lease| matches!(lease.state, Movability::Free(since) if since > 0));
            expired.for_each(|lease| lease.state = Movability::Fixed);
        }
        let expired = self.leases.values().filter(|entry| self.is_expired(entry));
        let dead: Vec<String> = expired.filter_map(|entry| entry.lease.actual_owner().map(str::to_owned)).collect();
        for worker in dead.into_iter().filter(|worker| *worker != self.config.worker_id) {
            self.leading.dead.entry(worker).or_insert(self.now);
        }
        let living = self.leading.workers.iter().filter(|worker| !self.leading.dead.contains_key(&worker.id));
        let workers: Vec<Assignee> = living.filter_map(assignee).collect();
        let config = AssignmentConfig { max_leases: self.config.max_leases, ..self.config.assignment.clone() };
        for assignment in plan(&workers, &leases, &config, balances) {
            let key = assignment.key;
            let is_free = leases.iter().any(|lease| lease.key == key && matches!(lease.state, Movability::Free(_)));
            let operation = match is_free {
                true if assignment.to == self.config.worker_id => Operation::Take,
                true => Operation::Assign(assignment.to),
                false => Operation::RequestHandoff(assignment.to),
            };
            tracing::info!(lease = key, ?operation, "assigned by this leader");
            self.send(&key, operation);
        }
    }

    /// The leases whose shards are still to be read, as a plan wants them.
    pub(super) fn assignable(&self) -> Vec<AssignableLease> {
        let assignable = |(key, entry): (&String, &Entry)| AssignableLease {
            key: key.clone(),
            owner: self.next_owner(entry).map(str::to_owned),
            throughput: entry.lease.throughput,
            state: self.movability(key, entry),
        };
        self.active().map(assignable).collect()
    }

    fn movability(&self, key: &str, entry: &Entry) -> Movability {
        let is_held = entry.hold.as_ref().is_some_and(|hold| hold.leaving.is_none());
        let is_writable = self.is_open_to_writes(key, entry) || (is_held && entry.in_flight.is_none());
        let is_unowned = entry.lease.actual_owner().is_none();
        match is_writable {
            true if is_unowned => Movability::Free(0),
            true if self.is_expired(entry) || self.is_late(entry) => Movability::Free(entry.unmoved_since_ms),
            true if entry.lease.checkpoint_owner.is_none() => Movability::Movable,
            _ => Movability::Fixed,
        }
    }
}

/// A worker that may get leases: its row is recent, and what it measures can be relied on.
fn assignee(worker: &FleetWorker) -> Option<Assignee> {
    let metrics = worker.utilisation.clone().filter(|_| worker.is_running())?;
    Some(Assignee { id: worker.id.clone(), metrics })
}
