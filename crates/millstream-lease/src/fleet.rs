//! A fleet of KCL 3 workers, as its tables show it, and what this worker is to do in it.
//!
//! In such a fleet one worker, the leader, assigns the leases. It assigns to those that write a row of metrics every
//! 30 s, and to nobody else (KCL `LeaseAssignmentManager`).

/// Between two rows of metrics of a worker, in milliseconds (KCL `WorkerMetricStatsReporter`).
pub(crate) const REPORT_INTERVAL_MS: u64 = 30_000;

/// A row older than two reports is that of a worker that is gone (KCL `WorkerMetricStats.isValidWorkerMetric`).
const FRESH_S: u64 = 60;

/// What the tables show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fleet {
    /// The rows of metrics, one a worker.
    pub workers: Vec<FleetWorker>,
    /// How far a migration from KCL 2 to 3 is (attribute `cv` of the row `Migration3.0`), where there is such a row.
    pub client_version: Option<String>,
    /// Where the rows of metrics are kept.
    pub layout: Layout,
}

/// A worker's row of metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetWorker {
    /// The worker.
    pub id: String,
    /// How long ago the row was written, by this machine's clock and the writer's.
    pub age_s: u64,
    /// Whether a worker of this library wrote it.
    pub is_ours: bool,
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

impl Fleet {
    pub(crate) fn role(&self) -> Role {
        let is_running = self.workers.iter().any(|worker| !worker.is_ours && worker.age_s <= FRESH_S);
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
        let worker = |&(age_s, is_ours)| FleetWorker { id: "w".into(), age_s, is_ours };
        let workers = workers.iter().map(worker).collect();
        Fleet { workers, client_version: version.map(str::to_owned), layout: Layout::OneTable }.role()
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
}
