//! The data of a stream in one batch.

use std::sync::Arc;

/// A stream's elements in one batch, in partitions. Cheap to clone; partitions are shared, never changed.
#[derive(Debug)]
pub struct Partitions<T>(Vec<Arc<Vec<T>>>);

impl<T> Partitions<T> {
    /// No partitions at all.
    pub fn empty() -> Self {
        Self(Vec::new())
    }

    /// How many partitions.
    pub fn num_partitions(&self) -> usize {
        self.0.len()
    }

    /// The partitions, in order.
    pub fn partitions(&self) -> impl Iterator<Item = &[T]> {
        self.0.iter().map(|partition| partition.as_slice())
    }

    /// The elements of all partitions, in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.partitions().flatten()
    }

    /// How many elements.
    pub fn len(&self) -> usize {
        self.partitions().map(<[T]>::len).sum()
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.partitions().all(<[T]>::is_empty)
    }

    /// A new partition for each, by `function`.
    pub fn map_partitions<U>(&self, function: impl FnMut(&[T]) -> Vec<U>) -> Partitions<U> {
        self.partitions().map(function).collect()
    }

    /// The partitions of both, these first; nothing is copied.
    pub fn union(&self, other: &Self) -> Self {
        Self(self.0.iter().chain(&other.0).cloned().collect())
    }
}

// Derived, it would ask for T: Clone.
impl<T> Clone for Partitions<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// One partition.
impl<T> From<Vec<T>> for Partitions<T> {
    fn from(partition: Vec<T>) -> Self {
        Self(vec![Arc::new(partition)])
    }
}

/// A partition from each vector.
impl<T> FromIterator<Vec<T>> for Partitions<T> {
    fn from_iter<I: IntoIterator<Item = Vec<T>>>(partitions: I) -> Self {
        Self(partitions.into_iter().map(Arc::new).collect())
    }
}
