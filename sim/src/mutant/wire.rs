//! A worker that believes what it hopes.

use std::sync::Arc;

use async_trait::async_trait;
use millstream_kinesis::{Checkpoint, ShardId};
use millstream_lease::{Lease, LeaseStore, RenewOutcome, StoreError};

/// A renewal without an answer passes for one that succeeded.
pub(super) struct Assuming(pub(super) Arc<dyn LeaseStore>);

#[async_trait]
impl LeaseStore for Assuming {
    async fn ensure(&self) -> Result<(), StoreError> {
        self.0.ensure().await
    }

    async fn scan(&self) -> Result<Vec<Lease>, StoreError> {
        self.0.scan().await
    }

    async fn get(&self, key: &str) -> Result<Option<Lease>, StoreError> {
        self.0.get(key).await
    }

    async fn create(&self, lease: &Lease) -> Result<bool, StoreError> {
        self.0.create(lease).await
    }

    async fn renew(&self, held: &Lease) -> Result<RenewOutcome, StoreError> {
        Ok(self.0.renew(held).await.unwrap_or(RenewOutcome::Renewed { counter: held.counter }))
    }

    async fn take(&self, seen: &Lease, me: &str) -> Result<Option<Lease>, StoreError> {
        self.0.take(seen, me).await
    }

    async fn request_handoff(&self, seen: &Lease, me: &str) -> Result<bool, StoreError> {
        self.0.request_handoff(seen, me).await
    }

    async fn complete_handoff(&self, held: &Lease) -> Result<bool, StoreError> {
        self.0.complete_handoff(held).await
    }

    async fn withdraw_handoff(&self, seen: &Lease) -> Result<bool, StoreError> {
        self.0.withdraw_handoff(seen).await
    }

    async fn release(&self, held: &Lease) -> Result<bool, StoreError> {
        self.0.release(held).await
    }

    async fn checkpoint(
        &self,
        held: &Lease,
        checkpoint: &Checkpoint,
        children: &[ShardId],
    ) -> Result<Option<u64>, StoreError> {
        self.0.checkpoint(held, checkpoint, children).await
    }

    async fn prepare(
        &self,
        held: &Lease,
        pending: &Checkpoint,
        state: Option<&[u8]>,
    ) -> Result<Option<u64>, StoreError> {
        self.0.prepare(held, pending, state).await
    }

    async fn delete(&self, seen: &Lease) -> Result<bool, StoreError> {
        self.0.delete(seen).await
    }
}
