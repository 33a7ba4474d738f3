//! A fleet of KCL 3 workers, as its tables show it, and what this worker is to do in it.
//!
//! In such a fleet one worker, the leader, assigns the leases. It assigns to those that write a row of metrics every
//! 30 s, and to nobody else (KCL `LeaseAssignmentManager`).

use std::collections::BTreeMap;

use crate::migration::{ClientVersion, ClientVersionConfig, TableMigration, TableStatus};

/// Between two rows of metrics of a worker, in milliseconds (KCL `WorkerMetricStatsReporter`).
pub(crate) const REPORT_INTERVAL_MS: u64 = 30_000;

/// What a leader's lock is good for, and how often it is renewed, in milliseconds (KCL `DynamoDBLockBasedLeaderDecider`).
pub(crate) const LOCK_DURATION_MS: u64 = 120_000;
pub(crate) const HEARTBEAT_MS: u64 = 30_000;

/// A row older than two reports is that of a worker that is gone (KCL `WorkerMetricStats.isValidWorkerMetric`).
const FRESH_S: u64 = 60;

/// What the tables show.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fleet {
    /// The rows of metrics. While the fleet moves to one table, a worker may have one in each.
    pub workers: Vec<FleetWorker>,
    /// How far a migration from KCL 2 to 3 is, where there is such a row.
    pub client_version: Option<ClientVersion>,
    /// The index of owners; looked at while the fleet migrates from KCL 2 to 3.
    pub index: Index,
    /// Who leads, or led last.
    pub lock: Option<LeaderLock>,
    /// Whether there are tables beside the lease table, as the KCL 3.0 to 3.4 make them.
    pub has_legacy_tables: bool,
    /// How far the move to one table is, where there is such a row.
    pub table_migration: Option<TableMigration>,
    /// How many rows of state are to be moved yet.
    pub legacy_entries: usize,
}

/// The index by which workers of the KCL 3 find their leases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Index {
    /// There is none.
    #[default]
    Missing,
    /// It is being made.
    Building,
    /// It can be used.
    Active,
}

/// A worker's row of metrics.
#[derive(Debug, Clone, PartialEq)]
pub struct FleetWorker {
    /// The worker.
    pub id: String,
    /// How long ago the row was written, by this machine's clock and the writer's.
    pub age_s: u64,
    /// Whether a worker of this library wrote it.
    pub is_ours: bool,
    /// What the worker is able to (`sup`): 1 knows the one table.
    pub support: u64,
    /// Whether the row is in a table beside the lease table.
    pub is_in_legacy_table: bool,
    /// What it measures; `None`: a metric can't be measured or has no limit, and the worker gets nothing.
    pub utilisation: Option<Utilisation>,
}

/// A worker's metrics by name; empty where it has none, and is to be weighed by its leases.
pub type Utilisation = BTreeMap<String, Metric>;

/// One metric of a worker, such as its processor (`C`), in per cent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metric {
    /// The moving average of what was measured last (KCL `ExponentialMovingAverage`, alpha 0.5).
    pub value: f64,
    /// The highest that is good for it (`operatingRange`).
    pub limit: f64,
}

impl Metric {
    /// From the last measurements, oldest first, in which -1 is one that failed (KCL `WorkerMetricStats`). `None`: the last one
    /// did, or the limit is none.
    pub fn of(measured: &[f64], limit: f64) -> Option<Self> {
        let has_failed = |value: &f64| *value < 0.0;
        if measured.last().is_some_and(has_failed) || limit <= 0.0 {
            return None;
        }
        let values = measured.iter().copied().filter(|value| !has_failed(value));
        let value = values.reduce(|average, value| average.midpoint(value)).unwrap_or(0.0);
        Some(Metric { value, limit })
    }
}

/// The row by which one worker leads (`AmazonDynamoDBLockClient`): it writes another version every 30 s.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaderLock {
    /// The leader.
    pub owner: String,
    /// Another one at each sign of life.
    pub version: String,
    /// A version seen for so long, in milliseconds, is that of a leader that is gone.
    pub duration_ms: u64,
    /// Whether the leader gave it back.
    pub is_released: bool,
}

/// The tables of a fleet, as this worker writes to them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Layout {
    /// Since KCL 3.5: everything in the lease table.
    #[default]
    OneTable,
    /// KCL 3.0 to 3.4: beside the lease table one for the coordinator's state and one for the rows of metrics.
    ThreeTables,
    /// On the way from three to one: rows of metrics are in the lease table, the leader's lock is where it was.
    Moving,
}

impl Layout {
    /// Whether the leader's lock is in a table beside the lease table.
    pub(crate) fn keeps_lock_beside(self) -> bool {
        self != Layout::OneTable
    }

    /// Whether rows of metrics are.
    pub(crate) fn keeps_workers_beside(self) -> bool {
        self == Layout::ThreeTables
    }
}

/// What this worker is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// No worker of the KCL 3 runs: leases are shared as among ourselves.
    Alone,
    /// The fleet is moving from KCL 2 to 3: leases are still taken by each worker for itself, and the move waits until
    /// every worker writes its row.
    Reporting,
    /// A leader assigns the leases.
    Led,
}

impl Role {
    pub(crate) fn reports(self) -> bool {
        self != Role::Alone
    }
}

impl FleetWorker {
    /// Whether its row is recent enough for a worker that runs.
    pub(crate) fn is_running(&self) -> bool {
        self.age_s <= FRESH_S
    }
}

impl Fleet {
    /// What a worker that is deployed for `config` is to do.
    pub(crate) fn role(&self, config: Option<ClientVersionConfig>) -> Role {
        let is_java_running = self.workers.iter().any(|worker| !worker.is_ours && worker.is_running());
        match self.client_version {
            // Java workers stop to report, too.
            Some(ClientVersion::V2x) => Role::Alone,
            None if config == Some(ClientVersionConfig::CompatibleWith2xPhase1) => Role::Alone,
            None if config == Some(ClientVersionConfig::CompatibleWith2x) => Role::Reporting,
            Some(ClientVersion::UpgradeFrom2x) if config.is_some() => Role::Reporting,
            _ if !is_java_running => Role::Alone,
            None | Some(ClientVersion::V3x | ClientVersion::V3xWithRollback) => Role::Led,
            Some(ClientVersion::UpgradeFrom2x | ClientVersion::Unknown) => Role::Reporting,
        }
    }

    /// Where a worker writes to, which may be the one table once all workers know it (KCL
    /// `TableMigrationStateMachineImpl.applyConfigOverride`; `None` is not the KCL's).
    pub(crate) fn layout(&self, moves_to_lease_table: Option<bool>) -> Layout {
        let status = self.table_migration.map(|migration| migration.status);
        match status {
            _ if !self.has_legacy_tables => Layout::OneTable,
            Some(TableStatus::Complete) => Layout::OneTable,
            Some(TableStatus::Deployed) if moves_to_lease_table == Some(true) => Layout::Moving,
            Some(TableStatus::Pending) if moves_to_lease_table != Some(false) => Layout::Moving,
            _ => Layout::ThreeTables,
        }
    }

    /// One row a worker: the last that it wrote.
    pub(crate) fn last_rows(&self) -> Vec<FleetWorker> {
        let mut last: BTreeMap<&str, &FleetWorker> = BTreeMap::new();
        for worker in &self.workers {
            let known = last.entry(&worker.id).or_insert(worker);
            if worker.age_s < known.age_s {
                *known = worker;
            }
        }
        last.into_values().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worker(age_s: u64, is_ours: bool) -> FleetWorker {
        FleetWorker { id: "w".into(), age_s, is_ours, support: 1, is_in_legacy_table: false, utilisation: None }
    }

    fn role(workers: &[(u64, bool)], version: Option<&str>, config: Option<ClientVersionConfig>) -> Role {
        let workers = workers.iter().map(|&(age_s, is_ours)| worker(age_s, is_ours)).collect();
        Fleet { workers, client_version: version.map(ClientVersion::of), ..Fleet::default() }.role(config)
    }

    #[test]
    fn only_living_workers_of_the_java_library_make_a_fleet() {
        let finished = Some("CLIENT_VERSION_3X");
        assert_eq!(role(&[], finished, None), Role::Alone);
        assert_eq!(role(&[(61, false), (1, true)], finished, None), Role::Alone);
        assert_eq!(role(&[(60, false), (1, true)], finished, None), Role::Led);
        assert_eq!(role(&[(5, false)], None, None), Role::Led);
    }

    #[test]
    fn while_a_fleet_migrates_each_worker_takes_for_itself() {
        let java = [(5, false)];
        assert_eq!(role(&java, Some("CLIENT_VERSION_UPGRADE_FROM_2X"), None), Role::Reporting);
        assert_eq!(role(&java, Some("CLIENT_VERSION_3X_WITH_ROLLBACK"), None), Role::Led);
        assert_eq!(role(&java, Some("CLIENT_VERSION_2X"), None), Role::Alone, "rolled back");
    }

    #[test]
    fn a_worker_deployed_for_the_move_reports_before_java_does() {
        let config = Some(ClientVersionConfig::CompatibleWith2x);
        assert_eq!(role(&[], None, config), Role::Reporting);
        assert_eq!(role(&[], Some("CLIENT_VERSION_UPGRADE_FROM_2X"), config), Role::Reporting);
        assert_eq!(role(&[], Some("CLIENT_VERSION_UPGRADE_FROM_2X"), None), Role::Alone);
        let passive = Some(ClientVersionConfig::CompatibleWith2xPhase1);
        assert_eq!(role(&[(5, false)], None, passive), Role::Alone);
        assert_eq!(role(&[(5, false)], Some("CLIENT_VERSION_3X"), passive), Role::Led, "the row counts");
    }

    #[test]
    fn a_worker_writes_to_the_one_table_when_it_was_told_to_and_all_know_it() {
        let layouts = |status: Option<TableStatus>| {
            let table_migration = status.map(|status| TableMigration { status, age_s: 5 });
            let fleet = Fleet { has_legacy_tables: true, table_migration, ..Fleet::default() };
            [Some(true), None, Some(false)].map(|moves| fleet.layout(moves))
        };
        use Layout::{Moving, OneTable, ThreeTables};
        assert_eq!(layouts(None), [ThreeTables; 3]);
        assert_eq!(layouts(Some(TableStatus::Init)), [ThreeTables; 3]);
        assert_eq!(layouts(Some(TableStatus::Deployed)), [Moving, ThreeTables, ThreeTables]);
        assert_eq!(layouts(Some(TableStatus::Pending)), [Moving, Moving, ThreeTables]);
        assert_eq!(layouts(Some(TableStatus::Complete)), [OneTable; 3]);
        assert_eq!(Fleet::default().layout(Some(false)), OneTable, "there are no other tables");
    }

    #[test]
    fn of_two_rows_of_a_worker_the_last_counts() {
        let fleet = Fleet { workers: vec![worker(50, false), worker(5, true), worker(20, false)], ..Fleet::default() };
        assert_eq!(fleet.last_rows(), [worker(5, true)]);
    }

    #[test]
    fn a_metric_is_the_moving_average_of_what_was_measured() {
        let metric = |measured: &[f64], limit| Metric::of(measured, limit).map(|metric| metric.value);
        assert_eq!(metric(&[40.0, -1.0, 60.0, 70.0], 100.0), Some(60.0));
        assert_eq!(metric(&[], 100.0), Some(0.0));
        assert_eq!(metric(&[40.0, -1.0], 100.0), None, "the last one failed");
        assert_eq!(metric(&[40.0], 0.0), None, "no limit");
    }
}
