//! Streams, and the operators that make one from another.

use crate::dataset::AnyPartitions;
use crate::{Partitions, StreamingContext};
use millstream_engine::{BatchTime, BoxError, StreamId};
use std::marker::PhantomData;

/// A stream of `T`, batch by batch. Clones are handles to the same stream, which is computed once per batch.
///
/// Functions given to operators run on the engine's thread. A panic in one fails the batch, not the program.
pub struct DStream<T> {
    context: StreamingContext,
    id: StreamId,
    element: PhantomData<fn() -> T>,
}

impl<T> DStream<T> {
    pub(crate) fn new(context: StreamingContext, id: StreamId) -> Self {
        Self { context, id, element: PhantomData }
    }

    /// The context this stream belongs to.
    pub fn context(&self) -> &StreamingContext {
        &self.context
    }

    pub(crate) fn id(&self) -> StreamId {
        self.id
    }

    fn derive<U>(
        &self,
        parents: &[StreamId],
        operator: impl FnMut(BatchTime, Vec<AnyPartitions>) -> Result<AnyPartitions, BoxError> + Send + 'static,
    ) -> DStream<U> {
        let stream = self.context.build(|graph| graph.derive(parents, Box::new(operator)));
        DStream::new(self.context.clone(), stream.unwrap_or(self.id))
    }
}

impl<T: Send + Sync + 'static> DStream<T> {
    /// `function` of each batch's time and data; an error fails the batch. Called for every batch in order, it may keep state.
    pub fn transform<U: Send + Sync + 'static>(
        &self,
        mut function: impl FnMut(BatchTime, &Partitions<T>) -> Result<Partitions<U>, BoxError> + Send + 'static,
    ) -> DStream<U> {
        self.derive(&[self.id], move |time, parents| {
            let parent = parents.first().ok_or("the stream has no parent")?;
            Ok(AnyPartitions::new(function(time, parent.of()?)?))
        })
    }

    /// `function` of each partition.
    pub fn map_partitions<U: Send + Sync + 'static>(
        &self,
        mut function: impl FnMut(&[T]) -> Vec<U> + Send + 'static,
    ) -> DStream<U> {
        self.transform(move |_, data| Ok(data.map_partitions(&mut function)))
    }

    /// `function` of each element.
    pub fn map<U: Send + Sync + 'static>(&self, mut function: impl FnMut(&T) -> U + Send + 'static) -> DStream<U> {
        self.map_partitions(move |partition| partition.iter().map(&mut function).collect())
    }

    /// All that `function` gives for each element, one after the other.
    pub fn flat_map<U: Send + Sync + 'static, I: IntoIterator<Item = U>>(
        &self,
        mut function: impl FnMut(&T) -> I + Send + 'static,
    ) -> DStream<U> {
        self.map_partitions(move |partition| partition.iter().flat_map(&mut function).collect())
    }

    /// The elements for which `predicate` holds.
    pub fn filter(&self, mut predicate: impl FnMut(&T) -> bool + Send + 'static) -> DStream<T>
    where
        T: Clone,
    {
        self.map_partitions(move |partition| partition.iter().filter(|element| predicate(element)).cloned().collect())
    }

    /// One number per batch: how many elements it has, also if none.
    pub fn count(&self) -> DStream<u64> {
        self.transform(|_, data| Ok(vec![data.len() as u64].into()))
    }

    /// The elements of this stream and of `other`, which must be of the same context.
    pub fn union(&self, other: &DStream<T>) -> DStream<T> {
        self.context.expect_same(&other.context);
        self.derive(&[self.id, other.id], |_, parents| {
            let mut union = Partitions::<T>::empty();
            for parent in parents {
                union = union.union(parent.of()?);
            }
            Ok(AnyPartitions::new(union))
        })
    }
}

// Derived, it would ask for T: Clone.
impl<T> Clone for DStream<T> {
    fn clone(&self) -> Self {
        Self::new(self.context.clone(), self.id)
    }
}
