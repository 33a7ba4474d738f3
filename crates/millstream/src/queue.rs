//! A stream fed by the program itself, for tests and trials.

use crate::Partitions;
use crate::dataset::AnyPartitions;
use crate::lock::lock;
use millstream_engine::{BatchTime, BoxError, Cut, Source};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

/// Vectors of elements that wait for a batch. Clones are handles to the same queue; it may be pushed to while the program runs.
pub struct Queue<T>(Arc<Mutex<VecDeque<Vec<T>>>>);

impl<T> Queue<T> {
    /// An empty queue.
    pub fn new() -> Self {
        Self::from_iter([])
    }

    /// Adds a vector behind the others.
    pub fn push(&self, elements: Vec<T>) {
        self.lock().push_back(elements);
    }

    /// How many vectors wait.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Vec<T>>> {
        lock(&self.0)
    }
}

impl<T> FromIterator<Vec<T>> for Queue<T> {
    fn from_iter<I: IntoIterator<Item = Vec<T>>>(vectors: I) -> Self {
        Self(Arc::new(Mutex::new(vectors.into_iter().collect())))
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// Gives what is queued, and is drained when nothing is.
pub(crate) struct QueueSource<T> {
    queue: Queue<T>,
    one_at_a_time: bool,
}

impl<T> QueueSource<T> {
    pub(crate) fn new(queue: Queue<T>, one_at_a_time: bool) -> Self {
        Self { queue, one_at_a_time }
    }
}

impl<T: Send + Sync + 'static> Source<AnyPartitions> for QueueSource<T> {
    fn cut(&mut self, _: BatchTime) -> Result<Cut<AnyPartitions>, BoxError> {
        let mut queue = self.queue.lock();
        let take = if self.one_at_a_time { queue.len().min(1) } else { queue.len() };
        let partitions: Partitions<T> = queue.drain(..take).collect();
        let records = partitions.len() as u64;
        Ok(Cut::once(AnyPartitions::new(partitions), records))
    }

    fn is_drained(&self) -> bool {
        self.queue.is_empty()
    }
}
