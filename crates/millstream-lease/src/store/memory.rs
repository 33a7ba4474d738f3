use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::StoreError;
use super::rows::{Change, Rows};
use super::rules::Rule;
use crate::{Lease, SessionAnswer, SessionWrite, Sessions};

/// Leases in memory, with all the conditions of the table. Clones share their leases: give one to each worker.
#[derive(Debug, Clone, Default)]
pub struct MemoryLeaseStore {
    leases: Arc<Mutex<BTreeMap<String, Lease>>>,
    sessions: Arc<Mutex<Sessions>>,
}

impl MemoryLeaseStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn leases(&self) -> MutexGuard<'_, BTreeMap<String, Lease>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Rows for MemoryLeaseStore {
    async fn ensure(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn all(&self) -> Result<Vec<Lease>, StoreError> {
        Ok(self.leases().values().cloned().collect())
    }

    async fn find(&self, key: &str) -> Result<Option<Lease>, StoreError> {
        Ok(self.leases().get(key).cloned())
    }

    async fn insert(&self, lease: &Lease) -> Result<bool, StoreError> {
        let mut leases = self.leases();
        let is_new = !leases.contains_key(&lease.key);
        if is_new {
            leases.insert(lease.key.clone(), lease.clone());
        }
        Ok(is_new)
    }

    async fn change(&self, key: &str, rule: Rule) -> Result<Change, StoreError> {
        let mut leases = self.leases();
        let Some(lease) = leases.get_mut(key) else {
            return Ok(Change::Refused(None));
        };
        let is_met = rule(lease);
        Ok(if is_met { Change::Done(lease.clone()) } else { Change::Refused(Some(lease.clone())) })
    }

    async fn sessions(&self) -> Result<Sessions, StoreError> {
        Ok(self.sessions.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    async fn change_sessions(&self, write: &SessionWrite) -> Result<SessionAnswer, StoreError> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(SessionAnswer { is_done: write.apply(&mut sessions), sessions: sessions.clone() })
    }

    async fn remove(&self, key: &str, counter: u64) -> Result<bool, StoreError> {
        let mut leases = self.leases();
        let is_met = leases.get(key).is_none_or(|stored| stored.counter == counter);
        if is_met {
            leases.remove(key);
        }
        Ok(is_met)
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
