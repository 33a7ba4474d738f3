use async_trait::async_trait;
use millstream_kinesis::{Checkpoint, ShardId};

use super::rules::{self, Rule};
use super::{LeaseStore, RenewOutcome, StoreError, judge_refused_renewal, was_checkpointed, was_prepared, was_taken};
use crate::{Lease, SessionAnswer, SessionWrite, Sessions};

/// What became of a conditional change.
pub(super) enum Change {
    /// Done: the lease as it is now.
    Done(Lease),
    /// The condition was not met: the lease as it is, if there is one.
    Refused(Option<Lease>),
}

impl Change {
    pub(super) fn is_done(&self) -> bool {
        matches!(self, Change::Done(_))
    }

    /// What it means for a renewal of `held`.
    pub(super) fn renewed(self, held: &Lease) -> RenewOutcome {
        match self {
            // Whoever asked first has withdrawn, and another one has asked.
            Change::Done(lease) if lease.owner != held.owner => RenewOutcome::HandoffRequested { lease },
            Change::Done(lease) => RenewOutcome::Renewed { counter: lease.counter },
            Change::Refused(current) => judge_refused_renewal(held, current),
        }
    }

    /// The lease that `me` has taken, which was `seen` before.
    pub(super) fn taken(self, seen: &Lease, me: &str) -> Option<Lease> {
        match self {
            Change::Done(lease) => Some(lease),
            Change::Refused(current) => current.filter(|current| was_taken(seen, me, current)),
        }
    }

    /// The counter of `held` after a checkpoint was prepared.
    pub(super) fn prepared(self, held: &Lease, pending: &Checkpoint) -> Option<u64> {
        self.counter(held, |current| was_prepared(held, pending, current))
    }

    /// The counter of `held` after its checkpoint was written.
    pub(super) fn checkpointed(self, held: &Lease, checkpoint: &Checkpoint) -> Option<u64> {
        self.counter(held, |current| was_checkpointed(held, checkpoint, current))
    }

    /// The counter of `held` after a write, also after one whose answer was lost on the way, as `was_done` finds out.
    fn counter(self, held: &Lease, was_done: impl FnOnce(Option<&Lease>) -> bool) -> Option<u64> {
        match self {
            Change::Done(lease) => Some(lease.counter),
            Change::Refused(current) => was_done(current.as_ref()).then_some(held.counter + 1),
        }
    }
}

/// Rows that can be looked at and changed in one step: all that a store needs to be a [`LeaseStore`].
#[async_trait]
pub(super) trait Rows: Send + Sync + 'static {
    async fn ensure(&self) -> Result<(), StoreError>;
    async fn all(&self) -> Result<Vec<Lease>, StoreError>;
    async fn find(&self, key: &str) -> Result<Option<Lease>, StoreError>;
    /// `false`: there is a row already, which stays as it is.
    async fn insert(&self, lease: &Lease) -> Result<bool, StoreError>;
    async fn change(&self, key: &str, rule: Rule) -> Result<Change, StoreError>;
    async fn sessions(&self) -> Result<Sessions, StoreError>;
    /// Looks at the sessions and changes them in one step.
    async fn change_sessions(&self, write: &SessionWrite) -> Result<SessionAnswer, StoreError>;
    /// Removes the row where its counter is `counter`. `false`: it has another one.
    async fn remove(&self, key: &str, counter: u64) -> Result<bool, StoreError>;
}

#[async_trait]
impl<R: Rows> LeaseStore for R {
    async fn ensure(&self) -> Result<(), StoreError> {
        Rows::ensure(self).await
    }

    async fn scan(&self) -> Result<Vec<Lease>, StoreError> {
        self.all().await
    }

    async fn get(&self, key: &str) -> Result<Option<Lease>, StoreError> {
        self.find(key).await
    }

    async fn create(&self, lease: &Lease) -> Result<bool, StoreError> {
        self.insert(lease).await
    }

    async fn renew(&self, held: &Lease) -> Result<RenewOutcome, StoreError> {
        Ok(self.change(&held.key, rules::renew(held)).await?.renewed(held))
    }

    async fn take(&self, seen: &Lease, me: &str) -> Result<Option<Lease>, StoreError> {
        Ok(self.change(&seen.key, rules::take(seen, me)).await?.taken(seen, me))
    }

    async fn request_handoff(&self, seen: &Lease, me: &str) -> Result<bool, StoreError> {
        Ok(self.change(&seen.key, rules::request_handoff(seen, me)).await?.is_done())
    }

    async fn complete_handoff(&self, held: &Lease) -> Result<bool, StoreError> {
        Ok(self.change(&held.key, rules::complete_handoff(held)).await?.is_done())
    }

    async fn withdraw_handoff(&self, seen: &Lease) -> Result<bool, StoreError> {
        Ok(self.change(&seen.key, rules::withdraw_handoff(seen)).await?.is_done())
    }

    async fn release(&self, held: &Lease) -> Result<bool, StoreError> {
        Ok(self.change(&held.key, rules::release(held)).await?.is_done())
    }

    async fn checkpoint(
        &self,
        held: &Lease,
        checkpoint: &Checkpoint,
        children: &[ShardId],
    ) -> Result<Option<u64>, StoreError> {
        Ok(self.change(&held.key, rules::checkpoint(held, checkpoint, children)).await?.checkpointed(held, checkpoint))
    }

    async fn prepare(
        &self,
        held: &Lease,
        pending: &Checkpoint,
        state: Option<&[u8]>,
    ) -> Result<Option<u64>, StoreError> {
        Ok(self.change(&held.key, rules::prepare(held, pending, state)).await?.prepared(held, pending))
    }

    async fn reset(&self, seen: &Lease, to: &Lease) -> Result<bool, StoreError> {
        Ok(self.change(&seen.key, rules::reset(seen, to)).await?.is_done())
    }

    async fn sessions(&self) -> Result<Sessions, StoreError> {
        Rows::sessions(self).await
    }

    async fn write_session(&self, write: &SessionWrite) -> Result<SessionAnswer, StoreError> {
        self.change_sessions(write).await
    }

    async fn delete(&self, seen: &Lease) -> Result<bool, StoreError> {
        self.remove(&seen.key, seen.counter).await
    }
}
