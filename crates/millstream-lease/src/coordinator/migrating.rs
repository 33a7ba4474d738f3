//! The moves of a fleet of KCL workers, as its leader makes them (see [`crate::migration`]): decided at each look at the fleet.
//!
//! Each step is conditional on the row that it follows. A step that is not taken, or fails, is decided anew at the next look.

use super::{Action, Coordinator};
use crate::fleet::{Fleet, FleetWorker, Index, Layout};
use crate::migration::{ClientVersion, ClientVersionConfig, MigrationStep, TableStatus, elected};

/// What a worker must be able to, for the one table (KCL `SINGLE_TABLE_MIGRATION`).
const KNOWS_ONE_TABLE: u64 = 1;

#[derive(Debug, Default)]
pub(super) struct Migrating {
    /// Since when all workers are ready for version 3, as this worker has seen as the leader.
    ready_since_ms: Option<u64>,
    is_under_way: bool,
}

impl Coordinator {
    /// Takes the next step of a move, where one is due.
    pub(super) fn migrate(&mut self, fleet: &Fleet) {
        if self.migrating.is_under_way || self.shutdown_ms.is_some() {
            return;
        }
        let step = self.version_step(fleet).or_else(|| self.table_step(fleet));
        if let Some(step) = step {
            tracing::info!(worker = self.config.worker_id, ?step, "moves the fleet");
            self.migrating.is_under_way = true;
            self.actions.push(Action::Migrate { step, layout: self.membership.layout() });
        }
    }

    pub(super) fn migrated(&mut self, is_done: bool) {
        self.migrating.is_under_way = false;
        if is_done {
            self.look_at_fleet_again();
        }
    }

    /// From version 2 to 3 (KCL `MigrationStateMachine`).
    fn version_step(&mut self, fleet: &Fleet) -> Option<MigrationStep> {
        let known = fleet.client_version;
        let to = |to: ClientVersion| Some(MigrationStep::Version { from: known, to });
        let step = match (known, self.config.migration.client_version) {
            (None, Some(ClientVersionConfig::CompatibleWith2x)) => to(ClientVersion::UpgradeFrom2x),
            (None | Some(ClientVersion::V3xWithRollback), Some(ClientVersionConfig::V3x)) => to(ClientVersion::V3x),
            (Some(ClientVersion::UpgradeFrom2x), _) => return self.upgrade_step(fleet),
            _ => None,
        };
        self.migrating.ready_since_ms = None;
        step
    }

    /// Who leads is still decided as in version 2. It waits until the index can be used and every owner of a lease has reported, for
    /// a while (KCL `MigrationReadyMonitor`).
    fn upgrade_step(&mut self, fleet: &Fleet) -> Option<MigrationStep> {
        let owners = self.leases.values().filter_map(|entry| entry.lease.owner.as_deref()).collect();
        let is_elected = elected(owners) == Some(self.config.worker_id.as_str());
        let leads = is_elected && self.config.may_lead && self.membership.reports();
        let starts = self.config.migration.client_version == Some(ClientVersionConfig::CompatibleWith2x);
        let is_ready = leads && fleet.index == Index::Active && self.is_each_owner_ready(fleet);
        if !is_ready {
            self.migrating.ready_since_ms = None;
            return (fleet.index == Index::Missing && (leads || starts)).then_some(MigrationStep::MakeIndex);
        }
        let since = *self.migrating.ready_since_ms.get_or_insert(self.now);
        (self.now >= since.saturating_add(self.config.migration.flip_after_ms))
            .then_some(MigrationStep::Version { from: fleet.client_version, to: ClientVersion::V3xWithRollback })
    }

    /// Expired leases count: their owner may come back as it was. So do leases that nobody owns: whoever takes them is not known.
    fn is_each_owner_ready(&self, fleet: &Fleet) -> bool {
        self.leases.values().all(|entry| {
            let mut owners = entry.lease.owner.iter().chain(&entry.lease.checkpoint_owner);
            let is_owned = entry.lease.owner.is_some() || entry.lease.is_ended();
            is_owned && owners.all(|owner| reports(fleet, owner, |_| true))
        })
    }

    /// From three tables to one, as the leader (KCL `TableMigrationStateMachine`).
    fn table_step(&self, fleet: &Fleet) -> Option<MigrationStep> {
        if !self.leading.is_leader() || !fleet.has_legacy_tables {
            return None;
        }
        let config = &self.config.migration;
        let from = fleet.table_migration.map(|table| table.status);
        let to = |to: TableStatus| Some(MigrationStep::Table { from, to });
        let is_older_than = |age_s: u64| fleet.table_migration.is_some_and(|table| table.age_s >= age_s);
        match from {
            None if self.knows_each_the_one_table(fleet) => to(TableStatus::Init),
            None => None,
            Some(TableStatus::Init) if !self.knows_each_the_one_table(fleet) => Some(MigrationStep::ForgetTable),
            Some(TableStatus::Init) if is_older_than(config.deployed_after_s) => to(TableStatus::Deployed),
            Some(TableStatus::Init | TableStatus::Complete) => None,
            // Rolled back to a program that writes to three tables.
            Some(TableStatus::Pending) if self.membership.layout() == Layout::ThreeTables => to(TableStatus::Deployed),
            Some(TableStatus::Deployed) if self.membership.layout() == Layout::ThreeTables => None,
            Some(TableStatus::Deployed) if !self.writes_each_to_one_table(fleet) => None,
            Some(TableStatus::Deployed) if fleet.legacy_entries > 0 => Some(MigrationStep::MoveState),
            Some(TableStatus::Deployed) => to(TableStatus::Pending),
            // Another worker was.
            Some(TableStatus::Pending) if fleet.legacy_entries > 0 || !self.writes_each_to_one_table(fleet) => {
                to(TableStatus::Deployed)
            }
            Some(TableStatus::Pending) if is_older_than(config.complete_after_s) => to(TableStatus::Complete),
            Some(TableStatus::Pending) => None,
        }
    }

    /// The owners of leases that have not expired.
    fn living_owners(&self) -> impl Iterator<Item = &str> {
        let living = self.leases.values().filter(|entry| !self.is_expired(entry));
        living.filter_map(|entry| entry.lease.owner.as_deref())
    }

    fn knows_each_the_one_table(&self, fleet: &Fleet) -> bool {
        let knows = |worker: &FleetWorker| worker.support >= KNOWS_ONE_TABLE;
        self.living_owners().next().is_some() && self.living_owners().all(|owner| reports(fleet, owner, knows))
    }

    fn writes_each_to_one_table(&self, fleet: &Fleet) -> bool {
        let is_beside = |worker: &FleetWorker| worker.is_running() && worker.is_in_legacy_table;
        !fleet.workers.iter().any(is_beside) && self.living_owners().all(|owner| reports(fleet, owner, |_| true))
    }
}

/// Whether a worker has a recent row that is as it is to be.
fn reports(fleet: &Fleet, worker: &str, is_good: impl Fn(&FleetWorker) -> bool) -> bool {
    fleet.workers.iter().any(|row| row.id == worker && row.is_running() && is_good(row))
}
