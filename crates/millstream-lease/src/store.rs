//! Where leases are kept. Every write is conditional, so that two workers never both succeed.

#[cfg(any(test, feature = "testing"))]
pub mod conformance;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod document;
mod dynamodb;
mod error;
mod fleet;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
mod rows;
mod rules;
#[cfg(feature = "sqlite")]
mod sqlite;
mod url;

use async_trait::async_trait;
use millstream_kinesis::{Checkpoint, ShardId};

pub use dynamodb::DynamoDbLeaseStore;
pub use error::StoreError;
pub use fleet::FleetStore;
pub use memory::MemoryLeaseStore;
#[cfg(feature = "postgres")]
pub use postgres::PostgresLeaseStore;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteLeaseStore;
pub use url::{InvalidStoreUrl, StoreUrl};

use crate::{Lease, SessionAnswer, SessionWrite, Sessions};

/// The table of an application's leases.
///
/// A write takes the lease as the caller knows it and is refused when the stored one has moved on; the conditions
/// are those of the KCL (`DynamoDBLeaseRefresher`), so that its workers and ours can share one table.
#[async_trait]
pub trait LeaseStore: Send + Sync + 'static {
    /// Makes the table where it is missing, and waits until it can be used.
    async fn ensure(&self) -> Result<(), StoreError>;

    /// All leases, in no order.
    async fn scan(&self) -> Result<Vec<Lease>, StoreError>;

    /// One lease.
    async fn get(&self, key: &str) -> Result<Option<Lease>, StoreError>;

    /// Adds a lease. `false`: there is one already, which stays as it is.
    async fn create(&self, lease: &Lease) -> Result<bool, StoreError>;

    /// Moves the counter: the sign of life of `held`'s actual owner.
    async fn renew(&self, held: &Lease) -> Result<RenewOutcome, StoreError>;

    /// Makes `me` the owner of a lease seen unowned, expired or assigned to `me`; ends a pending handoff.
    /// `None`: somebody was faster.
    async fn take(&self, seen: &Lease, me: &str) -> Result<Option<Lease>, StoreError>;

    /// Asks the owner to hand the lease over to `me`: `me` becomes the owner, the old one stays as
    /// `checkpoint_owner` and finishes. The counter does not move. `false`: the owner changed, or somebody else asked.
    async fn request_handoff(&self, seen: &Lease, me: &str) -> Result<bool, StoreError>;

    /// Gives a lease up to the worker that asked for it; called by the old owner. `false`: it was lost.
    async fn complete_handoff(&self, held: &Lease) -> Result<bool, StoreError>;

    /// Takes back what `request_handoff` has asked for; called by the next owner. The counter does not move.
    /// `false`: the old owner has handed over already, or the lease was taken.
    async fn withdraw_handoff(&self, seen: &Lease) -> Result<bool, StoreError>;

    /// Gives a lease up to whoever takes it. `false`: it was lost.
    async fn release(&self, held: &Lease) -> Result<bool, StoreError>;

    /// Writes how far the shard is processed, and at its end its children. Returns the new counter;
    /// `None`: the lease was lost, nothing was written.
    async fn checkpoint(
        &self,
        held: &Lease,
        checkpoint: &Checkpoint,
        children: &[ShardId],
    ) -> Result<Option<u64>, StoreError>;

    /// Notes a checkpoint that the reader is about to write, and what its successor is to know if it can't (KCL
    /// `prepareCheckpoint`). Returns the new counter; `None`: the lease was lost, nothing was written.
    async fn prepare(
        &self,
        held: &Lease,
        pending: &Checkpoint,
        state: Option<&[u8]>,
    ) -> Result<Option<u64>, StoreError>;

    /// Sets a lease back, or forward: it gets the checkpoint of `to`, with its moment and its children, and no owner; what was
    /// prepared is dropped. A worker that reads it loses it. `false`: it has moved on, and stays.
    async fn reset(&self, seen: &Lease, to: &Lease) -> Result<bool, StoreError>;

    /// Where workers of the KCL 3 tell of themselves; `None`: they do not know this store.
    fn fleet(&self) -> Option<&dyn FleetStore> {
        None
    }

    /// The sessions of workers that do not renew each lease.
    async fn sessions(&self) -> Result<Sessions, StoreError>;

    /// Changes one worker's session.
    async fn write_session(&self, write: &SessionWrite) -> Result<SessionAnswer, StoreError>;

    /// Removes a lease; none is no error. `false`: it has moved on, and stays.
    async fn delete(&self, seen: &Lease) -> Result<bool, StoreError>;
}

/// What became of a renewal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RenewOutcome {
    /// The lease is still ours.
    Renewed {
        /// The counter now stored.
        counter: u64,
    },
    /// Another worker asked for the lease: finish, write the last checkpoint, complete the handoff.
    HandoffRequested {
        /// The lease as stored: `owner` is the next owner, `checkpoint_owner` this worker.
        lease: Lease,
    },
    /// The worker that asked for the lease does not want it any more.
    HandoffWithdrawn {
        /// The lease as stored: this worker's, as before it was asked.
        lease: Lease,
    },
    /// The lease is not ours any more.
    Lost {
        /// The lease as stored, if it still exists.
        current: Option<Lease>,
    },
}

/// What a refused renewal means, from the lease that is stored instead (KCL `DynamoDBLeaseRefresher.renewLease`).
///
/// A counter just one ahead under our own name is our own write, whose answer was lost on the way; but not where the owner was
/// switched: a worker of the KCL 2 that steals a lease in the middle of a handoff leaves our name in `checkpointOwner`.
fn judge_refused_renewal(held: &Lease, current: Option<Lease>) -> RenewOutcome {
    let Some(current) = current else {
        return RenewOutcome::Lost { current: None };
    };
    let is_ours = current.actual_owner().is_some() && current.actual_owner() == held.actual_owner();
    let was_stolen = current.owner_switches > held.owner_switches;
    let was_moved_by_us = is_ours && !was_stolen && current.counter == held.counter + 1;
    let was_asked_for = is_ours && current.checkpoint_owner.is_some() && held.checkpoint_owner.is_none();
    let was_withdrawn = is_ours && !was_stolen && current.checkpoint_owner.is_none() && held.checkpoint_owner.is_some();
    let is_as_we_left_it = was_moved_by_us || current.counter == held.counter;
    if was_asked_for && is_as_we_left_it {
        RenewOutcome::HandoffRequested { lease: current }
    } else if was_withdrawn && is_as_we_left_it {
        RenewOutcome::HandoffWithdrawn { lease: current }
    } else if was_moved_by_us {
        RenewOutcome::Renewed { counter: current.counter }
    } else {
        RenewOutcome::Lost { current: Some(current) }
    }
}

/// Whether a lease that could not be taken is ours nevertheless: taken by a request whose answer was lost on the way.
fn was_taken(seen: &Lease, me: &str, current: &Lease) -> bool {
    seen.owner.as_deref() != Some(me)
        && current.owner.as_deref() == Some(me)
        && current.checkpoint_owner.is_none()
        && current.counter == seen.counter + 1
}

/// Whether a refused checkpoint had been written already, by a request whose answer was lost on the way.
fn was_checkpointed(held: &Lease, checkpoint: &Checkpoint, current: Option<&Lease>) -> bool {
    current.is_some_and(|current| {
        current.actual_owner() == held.actual_owner()
            && current.counter == held.counter + 1
            && current.checkpoint == *checkpoint
    })
}

/// The same for a prepared checkpoint.
fn was_prepared(held: &Lease, pending: &Checkpoint, current: Option<&Lease>) -> bool {
    current.is_some_and(|current| {
        current.actual_owner() == held.actual_owner()
            && current.counter == held.counter + 1
            && current.pending_checkpoint.as_ref() == Some(pending)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steal_in_the_middle_of_a_handoff_is_no_renewal_of_ours() {
        let range = millstream_kinesis::HashKeyRange::ALL;
        let shard = millstream_kinesis::ChildShard { id: "s0".into(), parents: Vec::new(), hash_range: range };
        let fresh = Lease::of_child(&shard, Checkpoint::TrimHorizon);
        let held = Lease { owner: Some("w1".to_owned()), counter: 7, ..fresh };
        let asked = Lease { owner: Some("w2".to_owned()), checkpoint_owner: held.owner.clone(), ..held.clone() };
        let renewed = Lease { counter: 8, ..asked.clone() };
        let outcome = judge_refused_renewal(&held, Some(renewed.clone()));
        assert_eq!(outcome, RenewOutcome::HandoffRequested { lease: renewed.clone() });
        let stolen = Lease { owner: Some("java".to_owned()), owner_switches: 1, ..renewed };
        for known in [held, asked] {
            let outcome = judge_refused_renewal(&known, Some(stolen.clone()));
            assert_eq!(outcome, RenewOutcome::Lost { current: Some(stolen.clone()) });
        }
    }
}
