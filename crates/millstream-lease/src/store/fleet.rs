use async_trait::async_trait;

use super::StoreError;
use crate::fleet::{Fleet, Layout, LeaderLock};
use crate::migration::MigrationStep;

/// Where workers of the KCL 3 tell of themselves.
#[async_trait]
pub trait FleetStore: Send + Sync {
    /// What the tables show now.
    async fn look(&self) -> Result<Fleet, StoreError>;

    /// Writes this worker's row of metrics, without any metric: the leader then balances by the throughput of the leases.
    async fn report(&self, worker: &str, layout: Layout) -> Result<(), StoreError>;

    /// Makes this worker the leader in place of what was seen, and returns the lock's new version; `None`: somebody was faster.
    async fn take_lead(
        &self,
        worker: &str,
        seen: Option<&LeaderLock>,
        layout: Layout,
    ) -> Result<Option<String>, StoreError>;

    /// The leader's sign of life: returns the lock's new version; `None`: the lock is another worker's.
    async fn keep_lead(&self, worker: &str, version: &str, layout: Layout) -> Result<Option<String>, StoreError>;

    /// Gives the lock back, so that another worker leads at once; none is no error, nor is another worker's.
    async fn resign(&self, worker: &str, version: &str, layout: Layout) -> Result<(), StoreError>;

    /// Removes this worker's row, so that the leader assigns nothing more to it.
    async fn retire(&self, worker: &str, layout: Layout) -> Result<(), StoreError>;

    /// Takes a step of a move of the fleet. `false`: what it follows is not so any more; another worker may have taken it.
    async fn migrate(&self, worker: &str, step: MigrationStep, layout: Layout) -> Result<bool, StoreError>;
}
