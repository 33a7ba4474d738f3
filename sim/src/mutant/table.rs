//! A lease table that breaks a rule.

use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use millstream_kinesis::{Checkpoint, Position, ShardId};
use millstream_lease::{
    Lease, LeaseStore, MemoryLeaseStore, RenewOutcome, SessionAnswer, SessionWrite, Sessions, StoreError,
};

use super::Mutant;

pub(super) struct MutantTable {
    pub(super) rows: MemoryLeaseStore,
    pub(super) mutant: Mutant,
    pub(super) scans: AtomicU64,
}

impl MutantTable {
    /// The lease as if the caller knew the stored counter.
    async fn up_to_date(&self, known: &Lease) -> Result<Lease, StoreError> {
        let stored = self.rows.get(&known.key).await?;
        Ok(Lease { counter: stored.map_or(known.counter, |stored| stored.counter), ..known.clone() })
    }
}

#[async_trait]
impl LeaseStore for MutantTable {
    async fn ensure(&self) -> Result<(), StoreError> {
        LeaseStore::ensure(&self.rows).await
    }

    async fn scan(&self) -> Result<Vec<Lease>, StoreError> {
        let mut leases = self.rows.scan().await?;
        if self.mutant == Mutant::NeverExpired {
            let count = self.scans.fetch_add(1, Ordering::Relaxed);
            leases.iter_mut().for_each(|lease| lease.counter += count);
        }
        Ok(leases)
    }

    async fn get(&self, key: &str) -> Result<Option<Lease>, StoreError> {
        self.rows.get(key).await
    }

    async fn create(&self, lease: &Lease) -> Result<bool, StoreError> {
        let mut lease = lease.clone();
        let is_child = !lease.parents.is_empty();
        match self.mutant {
            Mutant::ChildBeforeParent => lease.parents.clear(),
            Mutant::LatestOnChildren if is_child => lease.checkpoint = Checkpoint::Latest,
            Mutant::EndBeforeChildren if is_child => return Ok(true),
            Mutant::MomentForgotten => lease.latest_since_ms = None,
            Mutant::UnconditionalCreation => {
                if let Some(stored) = self.rows.get(&lease.key).await? {
                    self.rows.delete(&stored).await?;
                }
            }
            _ => {}
        }
        self.rows.create(&lease).await
    }

    async fn renew(&self, held: &Lease) -> Result<RenewOutcome, StoreError> {
        match self.mutant {
            Mutant::UnconditionalRenewal => {
                let outcome = self.rows.renew(&self.up_to_date(held).await?).await?;
                Ok(match outcome {
                    RenewOutcome::Lost { current: Some(current) } => RenewOutcome::Renewed { counter: current.counter },
                    other => other,
                })
            }
            _ => self.rows.renew(held).await,
        }
    }

    async fn take(&self, seen: &Lease, me: &str) -> Result<Option<Lease>, StoreError> {
        match self.mutant {
            Mutant::UnconditionalTake => {
                let taken = self.rows.take(&self.up_to_date(seen).await?, me).await?;
                Ok(taken.map(|taken| Lease { checkpoint: seen.checkpoint.clone(), ..taken }))
            }
            _ => self.rows.take(seen, me).await,
        }
    }

    async fn request_handoff(&self, seen: &Lease, me: &str) -> Result<bool, StoreError> {
        match self.mutant {
            Mutant::StealInsteadOfHandoff => Ok(self.rows.take(&self.up_to_date(seen).await?, me).await?.is_some()),
            _ => self.rows.request_handoff(seen, me).await,
        }
    }

    async fn complete_handoff(&self, held: &Lease) -> Result<bool, StoreError> {
        self.rows.complete_handoff(held).await
    }

    async fn withdraw_handoff(&self, seen: &Lease) -> Result<bool, StoreError> {
        self.rows.withdraw_handoff(seen).await
    }

    async fn release(&self, held: &Lease) -> Result<bool, StoreError> {
        match self.mutant {
            Mutant::ReleaseForgotten => Ok(true),
            _ => self.rows.release(held).await,
        }
    }

    async fn checkpoint(
        &self,
        held: &Lease,
        checkpoint: &Checkpoint,
        children: &[ShardId],
    ) -> Result<Option<u64>, StoreError> {
        let (mut held, mut checkpoint) = (held.clone(), checkpoint.clone());
        match (self.mutant, &mut checkpoint) {
            (Mutant::UnconditionalCheckpoint, _) => held = self.up_to_date(&held).await?,
            (Mutant::SubSequenceForgotten, Checkpoint::At(Position { sub, .. })) => *sub = u64::MAX,
            (Mutant::CheckpointDropped, _) => checkpoint = held.checkpoint.clone(),
            _ => {}
        }
        let counter = self.rows.checkpoint(&held, &checkpoint, children).await?;
        if self.mutant == Mutant::EndOfParentDeleted
            && let Some(counter) = counter.filter(|_| checkpoint == Checkpoint::ShardEnd)
        {
            self.rows.delete(&Lease { counter, ..held }).await?;
        }
        Ok(counter)
    }

    async fn prepare(
        &self,
        held: &Lease,
        pending: &Checkpoint,
        state: Option<&[u8]>,
    ) -> Result<Option<u64>, StoreError> {
        self.rows.prepare(held, pending, state).await
    }

    async fn reset(&self, seen: &Lease, to: &Lease) -> Result<bool, StoreError> {
        self.rows.reset(seen, to).await
    }

    async fn sessions(&self) -> Result<Sessions, StoreError> {
        LeaseStore::sessions(&self.rows).await
    }

    async fn write_session(&self, write: &SessionWrite) -> Result<SessionAnswer, StoreError> {
        match (self.mutant, write) {
            (Mutant::SessionsNeverEnd, SessionWrite::End { .. }) => {
                let sessions = LeaseStore::sessions(&self.rows).await?;
                Ok(SessionAnswer { is_done: false, sessions })
            }
            _ => self.rows.write_session(write).await,
        }
    }

    async fn delete(&self, seen: &Lease) -> Result<bool, StoreError> {
        self.rows.delete(seen).await
    }
}
