//! All leases of an application and all shards of its stream, as one worker sees them: asked for, since putting it together takes
//! longer the more there are.

use std::sync::{Arc, Weak};

use millstream_kinesis::{CallTimes, Shard};
use millstream_lease::{Coordinator, Lease, LeaseStatus};
use tokio::sync::{mpsc, oneshot};

use crate::error::ConsumerError;
use crate::shared::Shared;
use crate::status::ShardStatus;

/// Where the driver sends an answer.
pub(crate) type Asked = oneshot::Sender<Overview>;

/// What a worker knows.
#[derive(Clone, Debug)]
pub struct Overview {
    /// The worker.
    pub worker: String,
    /// All leases, in the order of their keys.
    pub leases: Vec<LeaseOverview>,
    /// The stream's shards as last listed. Later children may be missing, and shards that have expired may be there.
    pub listed: Vec<Shard>,
    /// The shards that this worker reads.
    pub reading: Vec<ShardStatus>,
    /// Leases that this worker has lost to others without having been asked for them, since it started.
    pub lost_leases: u64,
    pub(crate) renewals: Arc<CallTimes>,
    /// Why the leases or the shards could not be looked at last, if so.
    pub error: Option<String>,
}

/// A lease, with what this worker does with it.
#[derive(Clone, Debug)]
pub struct LeaseOverview {
    /// What is stored.
    pub lease: Lease,
    /// What this worker does with it.
    pub status: LeaseStatus,
    /// What is processed, where that is further than what is stored.
    pub processed: Option<String>,
    /// How often the last operation on it has failed in a row.
    pub failures: u32,
    /// Why it failed last.
    pub last_error: Option<String>,
}

impl Overview {
    pub(crate) fn new(coordinator: &Coordinator, worker: &str, shared: &Shared) -> Self {
        let leases = coordinator.view().filter_map(|view| {
            Some(LeaseOverview {
                lease: coordinator.lease(view.key)?.clone(),
                status: view.status,
                processed: view.processed.map(ToString::to_string),
                failures: view.failures,
                last_error: view.last_error.map(str::to_owned),
            })
        });
        Self {
            worker: worker.to_owned(),
            leases: leases.collect(),
            listed: coordinator.listed_shards().cloned().collect(),
            reading: shared.buffer().status(),
            lost_leases: coordinator.lost_leases(),
            renewals: shared.renewals.clone(),
            error: coordinator.scan_error().or(coordinator.list_error()).map(str::to_owned),
        }
    }
}

/// Sees all leases of a running consumer.
#[derive(Clone)]
pub struct Observer {
    asking: mpsc::Sender<Asked>,
    /// Goes with the consumer, and its memory.
    shared: Weak<Shared>,
}

impl Observer {
    pub(crate) fn new(asking: mpsc::Sender<Asked>, shared: &Arc<Shared>) -> Self {
        Self { asking, shared: Arc::downgrade(shared) }
    }

    /// How it is now; `None`: the consumer has ended.
    pub async fn look(&self) -> Option<Overview> {
        let (sender, answer) = oneshot::channel();
        self.asking.send(sender).await.ok()?;
        answer.await.ok()
    }

    /// Why the consumer has ended by itself; `None`: it has not, or its handle is gone.
    pub fn failure(&self) -> Option<ConsumerError> {
        self.shared.upgrade()?.fatal()
    }
}
