//! The requests of a fleet of Java KCL 3 workers, by arithmetic from the clocks of its code (3.5.1, default settings).

use super::fleet::{Fleet, Usage};

const DAY_MS: f64 = 86_400_000.0;
/// Of a lease: see `fleet.rs`.
const LEASE_BYTES: u64 = 420;

/// Of a day. What is left out makes it cheaper than it is: the index of owners, the scans of the workers' rows, the shard sync.
pub(super) fn count(fleet: Fleet) -> Usage {
    let each = |interval_ms: f64| DAY_MS / interval_ms;
    let failover_ms = fleet.failover_ms as f64;
    let scan_units = (fleet.leases * LEASE_BYTES).div_ceil(8_192) as f64;
    // A lease is renewed each third of the failover time less 25 ms, and each checkpoint is one more write (`LeaseRenewer`).
    let renewals = fleet.leases as f64 * each(failover_ms / 3.0 - 25.0);
    let checkpoints = fleet.active as f64 * each(fleet.checkpoint_interval_ms as f64);
    // A row of metrics a worker (`WorkerMetricStatsReporter`), and the leader's heartbeat (`DynamoDBLockBasedLeaderDecider`).
    let rows = (fleet.workers as f64 + 1.0) * each(30_000.0);
    // Each worker asks the index of owners for its leases (`LeaseDiscoverer`), the leader scans at each assignment.
    let queries = fleet.workers as f64 * each(failover_ms - 25.0);
    let scans = each(2.0 * failover_ms);
    let writes = renewals + checkpoints + rows;
    Usage {
        requests: (writes + queries + scans) as u64,
        writes: writes as u64,
        reads: (queries * 0.5 + scans * scan_units) as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use millstream_lease::Heartbeat;

    #[test]
    fn a_hundred_idle_leases_are_renewed_two_and_a_half_million_times_a_day() {
        let (checkpoint_interval_ms, failover_ms, heartbeat) = (10_000, 10_000, Heartbeat::Lease);
        let fleet = Fleet { leases: 100, workers: 4, active: 0, checkpoint_interval_ms, failover_ms, heartbeat };
        let usage = count(fleet);
        assert!((2_610_000..2_630_000).contains(&usage.writes), "{usage:?}");
    }
}
