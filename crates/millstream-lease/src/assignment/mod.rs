//! Which worker should have which lease: the plan of one moment. Pure: no clock, no IO, no chance.
//!
//! The rules are those of the KCL 3 (`VarianceBasedLeaseAssignmentDecider`): leases that nobody reads go to the worker with
//! the most headroom; where a worker lies too far from the average of what it is measured by, it gives a part of what it
//! has over to the others. Some are better here:
//! * A lease weighs 1 KiB a second at least, so that where nothing is measured yet leases are counted, and idle ones are not
//!   moved back and forth. The KCL divides zero by zero there, or balances noise.
//! * Where one worker has no metric of its own, all are weighed by the throughput of their leases: the KCL compares each
//!   with those that have the same metric alone.
//! * A worker may get a lease beyond the average if it has less afterwards than the giver had: four workers with
//!   4, 2, 2 and 2 leases come to 3, 3, 2 and 2.
//! * Which leases move does not depend on chance, but on the order in which they are given.

mod load;
mod plan;

use crate::Throughput;
use crate::fleet::Utilisation;

pub(crate) use load::is_measured;
pub use plan::plan;

/// What a plan aims at. The defaults are the KCL's (`WorkerUtilizationAwareAssignmentConfig`).
#[derive(Debug, Clone, PartialEq)]
pub struct AssignmentConfig {
    /// By what leases are weighed.
    pub strategy: AssignmentStrategy,
    /// A worker this many per cent off the average makes for a balancing.
    pub rebalance_threshold_percent: u32,
    /// The share of what a worker has too much that moves at a time, in per cent.
    pub dampening_percent: u32,
    /// Where no lease is small enough to move, the smallest one does.
    pub allow_overshoot: bool,
    /// No worker gets a lease once it has so much, in KiB a second.
    pub max_throughput_kbps: f64,
    /// No worker gets more leases than these.
    pub max_leases: usize,
}

impl Default for AssignmentConfig {
    fn default() -> Self {
        AssignmentConfig {
            strategy: AssignmentStrategy::UtilisationAware,
            rebalance_threshold_percent: 10,
            dampening_percent: 60,
            allow_overshoot: true,
            max_throughput_kbps: f64::INFINITY,
            max_leases: usize::MAX,
        }
    }
}

/// By what leases are weighed (KCL `LeaseAssignmentStrategy`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AssignmentStrategy {
    /// By the workers' metrics and the leases' throughput.
    #[default]
    UtilisationAware,
    /// Each lease counts the same, and metrics do not.
    LeaseCount,
}

/// A worker that may get leases.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignee {
    /// The worker.
    pub id: String,
    /// What it says of its load; empty where it is to be weighed by the throughput of its leases.
    pub metrics: Utilisation,
}

/// A lease whose shard is still to be read.
#[derive(Debug, Clone, PartialEq)]
pub struct AssignableLease {
    /// The lease.
    pub key: String,
    /// The worker that has it, or will have it after a handoff.
    pub owner: Option<String>,
    /// How much of the shard is processed, where that was measured.
    pub throughput: Option<Throughput>,
    /// What may be done with it.
    pub state: Movability,
}

/// What may be done with a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Movability {
    /// Nobody reads it: it wants an owner. Lower ones first.
    Free(u64),
    /// It is read, and can be handed over.
    Movable,
    /// It is read, and on its way already.
    Fixed,
}

/// A lease and the worker that should have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The lease.
    pub key: String,
    /// The worker.
    pub to: String,
}
