use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use millstream_kinesis::{Checkpoint, ShardId};

use super::{Change, LeaseStore, RenewOutcome, StoreError, judge_refused_renewal, was_checkpointed};
use crate::Lease;

/// Leases in memory, with all the conditions of the table. Clones share their leases: give one to each worker.
#[derive(Debug, Clone, Default)]
pub struct MemoryLeaseStore {
    leases: Arc<Mutex<BTreeMap<String, Lease>>>,
}

impl MemoryLeaseStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn leases(&self) -> MutexGuard<'_, BTreeMap<String, Lease>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the stored lease if it meets the condition, and returns it as changed.
    fn update(&self, key: &str, condition: impl FnOnce(&Lease) -> bool, change: impl FnOnce(&mut Lease)) -> Change {
        let mut leases = self.leases();
        match leases.get_mut(key) {
            Some(lease) if condition(lease) => {
                change(lease);
                Change::Done(lease.clone())
            }
            found => Change::Refused(found.cloned()),
        }
    }
}

#[async_trait]
impl LeaseStore for MemoryLeaseStore {
    async fn ensure(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn scan(&self) -> Result<Vec<Lease>, StoreError> {
        Ok(self.leases().values().cloned().collect())
    }

    async fn get(&self, key: &str) -> Result<Option<Lease>, StoreError> {
        Ok(self.leases().get(key).cloned())
    }

    async fn create(&self, lease: &Lease) -> Result<bool, StoreError> {
        let mut leases = self.leases();
        let is_new = !leases.contains_key(&lease.key);
        if is_new {
            leases.insert(lease.key.clone(), lease.clone());
        }
        Ok(is_new)
    }

    async fn renew(&self, held: &Lease) -> Result<RenewOutcome, StoreError> {
        let renewed = self.update(
            &held.key,
            |stored| stored.counter == held.counter && stored.checkpoint_owner == held.checkpoint_owner,
            |stored| stored.counter += 1,
        );
        Ok(match renewed {
            Change::Done(lease) => RenewOutcome::Renewed { counter: lease.counter },
            Change::Refused(current) => judge_refused_renewal(held, current),
        })
    }

    async fn take(&self, seen: &Lease, me: &str) -> Result<Option<Lease>, StoreError> {
        let taken = self.update(
            &seen.key,
            |stored| stored.counter == seen.counter,
            |stored| {
                stored.owner_switches += u64::from(seen.actual_owner() != Some(me));
                stored.owner = Some(me.to_owned());
                stored.checkpoint_owner = None;
                stored.counter += 1;
            },
        );
        Ok(match taken {
            Change::Done(lease) => Some(lease),
            Change::Refused(_) => None,
        })
    }

    async fn request_handoff(&self, seen: &Lease, me: &str) -> Result<bool, StoreError> {
        let asked = self.update(
            &seen.key,
            |stored| stored.owner.is_some() && stored.owner == seen.owner && stored.checkpoint_owner.is_none(),
            |stored| stored.checkpoint_owner = stored.owner.replace(me.to_owned()),
        );
        Ok(asked.is_done())
    }

    async fn complete_handoff(&self, held: &Lease) -> Result<bool, StoreError> {
        let completed = self.update(
            &held.key,
            |stored| {
                stored.checkpoint_owner.is_some()
                    && stored.owner == held.owner
                    && stored.checkpoint_owner == held.checkpoint_owner
            },
            |stored| {
                stored.checkpoint_owner = None;
                stored.owner_switches += 1;
                stored.counter += 1;
            },
        );
        Ok(completed.is_done())
    }

    async fn release(&self, held: &Lease) -> Result<bool, StoreError> {
        let released = self.update(
            &held.key,
            |stored| stored.counter == held.counter && stored.owner == held.owner && stored.checkpoint_owner.is_none(),
            |stored| {
                stored.owner = None;
                stored.counter += 1;
            },
        );
        Ok(released.is_done())
    }

    async fn checkpoint(
        &self,
        held: &Lease,
        checkpoint: &Checkpoint,
        children: &[ShardId],
    ) -> Result<Option<u64>, StoreError> {
        let written = self.update(
            &held.key,
            |stored| stored.counter == held.counter,
            |stored| {
                stored.counter += 1;
                stored.owner_switches = 0;
                stored.checkpoint = checkpoint.clone();
                stored.pending_checkpoint = None;
                if !children.is_empty() {
                    stored.children = children.to_vec();
                }
            },
        );
        Ok(match written {
            Change::Done(lease) => Some(lease.counter),
            Change::Refused(current) => {
                was_checkpointed(held, checkpoint, current.as_ref()).then_some(held.counter + 1)
            }
        })
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.leases().remove(key);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn memory_store_conforms() {
        crate::store::conformance::run(&MemoryLeaseStore::new()).await;
    }
}
