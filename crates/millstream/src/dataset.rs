//! Partitions of any element type as the one dataset type that the engine's graph carries.

use crate::Partitions;
use millstream_engine::BoxError;
use std::any::{Any, type_name};
use std::sync::Arc;

/// [`Partitions`] of a type that only the streams know.
#[derive(Clone)]
pub(crate) struct AnyPartitions(Arc<dyn Any + Send + Sync>);

impl AnyPartitions {
    /// Forgets the element type.
    pub(crate) fn new<T: Send + Sync + 'static>(partitions: Partitions<T>) -> Self {
        Self(Arc::new(partitions))
    }

    /// The partitions, whose element type must be the right one. It is, for a `DStream<T>` is only made for such a stream.
    pub(crate) fn of<T: Send + Sync + 'static>(&self) -> Result<&Partitions<T>, BoxError> {
        let wrong_type = || format!("the stream does not hold elements of type {}", type_name::<T>());
        self.0.downcast_ref().ok_or_else(|| wrong_type().into())
    }
}
