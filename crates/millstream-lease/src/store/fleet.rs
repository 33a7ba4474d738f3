use async_trait::async_trait;

use super::StoreError;
use crate::fleet::{Fleet, Layout};

/// Where workers of the KCL 3 tell of themselves.
#[async_trait]
pub trait FleetStore: Send + Sync {
    /// What the tables show now.
    async fn look(&self) -> Result<Fleet, StoreError>;

    /// Writes this worker's row of metrics, without any metric: the leader then balances by the throughput of the leases.
    async fn report(&self, worker: &str, layout: Layout) -> Result<(), StoreError>;

    /// Removes this worker's row, so that the leader assigns nothing more to it.
    async fn retire(&self, worker: &str, layout: Layout) -> Result<(), StoreError>;
}
