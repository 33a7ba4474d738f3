use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::{CallTimes, KinesisError};

/// What the reader of a shard has met beside new records, since it began. The reader alone writes; who shows it reads.
#[derive(Debug, Default)]
pub struct ReadCounts {
    throttles: AtomicU64,
    records_again: AtomicU64,
    get_records: CallTimes,
    get_iterator: CallTimes,
}

impl ReadCounts {
    /// Calls that the service refused, because the limits of the shard or of the account were reached.
    pub fn throttles(&self) -> u64 {
        self.throttles.load(Relaxed)
    }

    /// Records that came although a checkpoint says that they are processed, and that were left out: those of an aggregated
    /// record with a checkpoint inside.
    pub fn records_again(&self) -> u64 {
        self.records_again.load(Relaxed)
    }

    /// Calls of `GetRecords`.
    pub fn get_records(&self) -> &CallTimes {
        &self.get_records
    }

    /// Calls of `GetShardIterator`.
    pub fn get_iterator(&self) -> &CallTimes {
        &self.get_iterator
    }

    pub(super) fn failed(&self, error: &KinesisError) {
        if *error == KinesisError::Throttled {
            self.throttles.fetch_add(1, Relaxed);
        }
    }

    pub(super) fn repeated(&self, records: usize) {
        self.records_again.fetch_add(records as u64, Relaxed);
    }
}
