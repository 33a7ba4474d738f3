//! What the handle, the driver and the readers share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use millstream_kinesis::CallTimes;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::buffer::Buffer;
use crate::error::ConsumerError;

/// The buffer behind its lock, which is never held over an await, and the wake-up of the driver.
pub(crate) struct Shared {
    buffer: Mutex<Buffer<OwnedSemaphorePermit>>,
    /// Written by the driver, once, when trying again would not help.
    fatal: Mutex<Option<ConsumerError>>,
    /// Tells the driver that the buffer may have news.
    pub(crate) changed: Notify,
    /// Renewals of leases, and signs of life.
    pub(crate) renewals: Arc<CallTimes>,
    budget: Arc<Semaphore>,
    budget_bytes: u32,
}

impl Shared {
    pub(crate) fn new(buffer: Buffer<OwnedSemaphorePermit>, budget_bytes: u32) -> Self {
        Self {
            buffer: Mutex::new(buffer),
            fatal: Mutex::new(None),
            changed: Notify::new(),
            renewals: Arc::default(),
            budget: Arc::new(Semaphore::new(budget_bytes as usize)),
            budget_bytes,
        }
    }

    pub(crate) fn buffer(&self) -> MutexGuard<'_, Buffer<OwnedSemaphorePermit>> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `bytes` may be held. A block larger than the whole budget waits for all of it. None when the consumer
    /// has stopped.
    pub(crate) async fn reserve(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let wanted = u32::try_from(bytes).unwrap_or(u32::MAX).min(self.budget_bytes);
        self.budget.clone().acquire_many_owned(wanted).await.ok()
    }

    /// Makes what was reserved for an answer fit its block. What the block has beyond that is taken from the budget only if it
    /// is there: who waits for more while holding something may wait for ever.
    pub(crate) fn fit(&self, mut held: OwnedSemaphorePermit, bytes: usize) -> OwnedSemaphorePermit {
        let wanted = bytes.min(self.budget_bytes as usize);
        if let Some(spare) = held.num_permits().checked_sub(wanted) {
            drop(held.split(spare));
        } else if let Ok(more) = u32::try_from(wanted - held.num_permits())
            && let Ok(more) = self.budget.clone().try_acquire_many_owned(more)
        {
            held.merge(more);
        }
        held
    }

    pub(crate) fn fail(&self, error: ConsumerError) {
        self.fatal.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    pub(crate) fn fatal(&self) -> Option<ConsumerError> {
        self.fatal.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
