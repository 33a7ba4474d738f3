//! A fleet of KCL 3 workers, as its tables show it, and what this worker is to do in it.
//!
//! In such a fleet one worker, the leader, assigns the leases. It assigns to those that write a row of metrics every
//! 30 s, and to nobody else (KCL `LeaseAssignmentManager`).

use std::collections::BTreeMap;

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
    /// The rows of metrics, one a worker.
    pub workers: Vec<FleetWorker>,
    /// How far a migration from KCL 2 to 3 is (attribute `cv` of the row `Migration3.0`), where there is such a row.
    pub client_version: Option<String>,
    /// Who leads, or led last.
    pub lock: Option<LeaderLock>,
    /// Where the rows of metrics are kept.
    pub layout: Layout,
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

/// The tables of a fleet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Layout {
    /// Since KCL 3.5: everything in the lease table.
    #[default]
    OneTable,
    /// KCL 3.0 to 3.4: beside the lease table one for the coordinator's state and one for the rows of metrics.
    ThreeTables,
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
    pub(crate) fn role(&self) -> Role {
        let is_running = self.workers.iter().any(|worker| !worker.is_ours && worker.is_running());
        match self.client_version.as_deref() {
            _ if !is_running => Role::Alone,
            None | Some("CLIENT_VERSION_3X" | "CLIENT_VERSION_3X_WITH_ROLLBACK") => Role::Led,
            Some(_) => Role::Reporting,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(workers: &[(u64, bool)], version: Option<&str>) -> Role {
        let worker = |&(age_s, is_ours)| FleetWorker { id: "w".into(), age_s, is_ours, utilisation: None };
        let workers = workers.iter().map(worker).collect();
        Fleet { workers, client_version: version.map(str::to_owned), lock: None, layout: Layout::OneTable }.role()
    }

    #[test]
    fn only_living_workers_of_the_java_library_make_a_fleet() {
        let finished = Some("CLIENT_VERSION_3X");
        assert_eq!(role(&[], finished), Role::Alone);
        assert_eq!(role(&[(61, false), (1, true)], finished), Role::Alone);
        assert_eq!(role(&[(60, false), (1, true)], finished), Role::Led);
        assert_eq!(role(&[(5, false)], None), Role::Led);
    }

    #[test]
    fn while_a_fleet_migrates_each_worker_takes_for_itself() {
        for version in ["CLIENT_VERSION_INIT", "CLIENT_VERSION_UPGRADE_FROM_2X", "CLIENT_VERSION_2X"] {
            assert_eq!(role(&[(5, false)], Some(version)), Role::Reporting, "{version}");
        }
        assert_eq!(role(&[(5, false)], Some("CLIENT_VERSION_3X_WITH_ROLLBACK")), Role::Led);
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
