//! This worker's place in a fleet of KCL 3 workers (see [`crate::fleet`]).
//!
//! It decides only who chooses the leases that this worker takes. That two workers never both write is the matter of the
//! store's conditions, whoever chose: a wrong belief about the fleet costs a lease moved for nothing.

use super::periodic::Periodic;
use super::{Action, Coordinator};
use crate::fleet::{Fleet, Layout, REPORT_INTERVAL_MS, Role};

/// Between two looks at the fleet while there is one.
const LOOK_INTERVAL_MS: u64 = 10_000;

/// In a led fleet, a lease that nobody moved for so many failover times is taken without the leader. A leader of the KCL
/// needs up to five: two runs until it sees a lease expired, and one for its new owner to find it.
const FORSAKEN: u64 = 6;

#[derive(Debug, Default)]
pub(super) struct Membership {
    look: Periodic,
    report: Periodic,
    /// `None`: not looked yet.
    role: Option<Role>,
    layout: Layout,
    /// Where there may be a row of ours.
    reported_in: Option<Layout>,
    is_retiring: bool,
}

impl Membership {
    pub(super) fn is_led(&self) -> bool {
        self.role == Some(Role::Led)
    }

    /// Whether workers of the KCL 3 run.
    pub(super) fn reports(&self) -> bool {
        self.role.is_some_and(Role::reports)
    }

    pub(super) fn layout(&self) -> Layout {
        self.layout
    }

    /// Whether something is under way that a shutdown waits for.
    pub(super) fn is_busy(&self) -> bool {
        self.reported_in.is_some() || self.report.started_step.is_some() || self.is_retiring
    }

    /// When time alone makes a difference.
    pub(super) fn due_ms(&self) -> u64 {
        let due = |periodic: &Periodic| if periodic.started_step.is_none() { periodic.due_ms } else { u64::MAX };
        let reports = self.role.is_some_and(Role::reports) && !self.is_retiring;
        due(&self.look).min(if reports { due(&self.report) } else { u64::MAX })
    }
}

impl Coordinator {
    /// Whether it is known who chooses this worker's leases.
    pub(super) fn knows_its_place(&self) -> bool {
        !self.config.joins_fleet || self.membership.role.is_some()
    }

    /// Looks at the fleet and reports to it where that is due.
    pub(super) fn attend_fleet(&mut self) {
        let membership = &mut self.membership;
        let reports = membership.role.is_some_and(Role::reports) && self.shutdown_ms.is_none();
        if self.config.joins_fleet && self.shutdown_ms.is_none() {
            let interval = if reports { LOOK_INTERVAL_MS } else { self.config.shard_sync_ms };
            if membership.look.start(self.now, self.step, interval) {
                self.actions.push(Action::LookAtFleet);
            }
        }
        let layout = membership.layout;
        let moves = |reported: Layout| reported.keeps_workers_beside() != layout.keeps_workers_beside();
        let stays = reports && !membership.reported_in.is_some_and(moves);
        if stays && !membership.is_retiring {
            if membership.report.start(self.now, self.step, REPORT_INTERVAL_MS) {
                membership.reported_in = Some(layout);
                self.actions.push(Action::Report(layout));
            }
        } else if membership.report.started_step.is_none()
            && let Some(reported) = membership.reported_in.take_if(|_| !stays)
        {
            // So that the leader assigns nothing more to this worker, or finds its row in another table.
            membership.is_retiring = true;
            membership.report.hurry(self.now);
            self.actions.push(Action::Retire(reported));
        }
        self.attend_lock(reports && self.membership.is_led() && self.config.may_lead);
    }

    pub(super) fn fleet_seen(&mut self, fleet: Fleet) {
        let Some(look_step) = self.membership.look.answered() else {
            return;
        };
        let role = fleet.role(self.config.migration.client_version);
        if role.reports() {
            self.membership.look.due_ms = self.membership.look.due_ms.min(self.now + LOOK_INTERVAL_MS);
        }
        let before = self.membership.role.replace(role);
        self.membership.layout = fleet.layout(self.config.migration.moves_to_lease_table);
        self.migrate(&fleet);
        let workers = fleet.last_rows();
        self.leading.saw(fleet.lock, workers, (self.now, look_step));
        self.lead_after_look();
        if before == Some(role) {
            return;
        }
        if before.is_some() || role != Role::Alone {
            tracing::info!(worker = self.config.worker_id, ?role, "another place among the workers of the lease table");
        }
        if role.reports() {
            self.membership.report.hurry(self.now);
        }
        self.scan.hurry(self.now);
    }

    /// Looks again at once: this worker has changed what it saw.
    pub(super) fn look_at_fleet_again(&mut self) {
        self.membership.look.hurry(self.now);
    }

    pub(super) fn fleet_failed(&mut self, reason: String) {
        self.membership.look.failed(self.now, reason);
    }

    pub(super) fn reported(&mut self) {
        self.membership.report.answered();
    }

    pub(super) fn report_failed(&mut self, reason: String) {
        self.membership.report.failed(self.now, reason);
    }

    pub(super) fn retired(&mut self) {
        self.membership.is_retiring = false;
        // A leader that has not seen it yet may have assigned something.
        self.look_once_more();
    }

    /// In a led fleet: only what is assigned, and what the leader has left to nobody for too long.
    pub(super) fn take_as_led(&mut self) {
        self.take_assigned();
        let load = self.load();
        let mine = load.get(&self.config.worker_id).copied().unwrap_or(0);
        let room = self.config.max_leases.saturating_sub(mine);
        let free = self.free_leases().into_iter();
        let forsaken: Vec<String> = free.filter(|key| self.is_unmoved_for(key, FORSAKEN)).collect();
        let share = forsaken.len().div_ceil(load.len().max(1));
        for key in forsaken.iter().take(share.min(room)) {
            tracing::warn!(lease = key, "nobody reads it and no leader assigns it: taken");
            self.send(key, super::state::Operation::Take);
        }
    }
}
