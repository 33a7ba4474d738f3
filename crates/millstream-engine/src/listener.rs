//! Listeners: the batches as they come and go.

use crate::lifecycle::lock;
use crate::protect::protect_callback;
use crate::{BatchInfo, OutputInfo};
use std::sync::{Arc, Mutex};

/// Hears of every batch (Spark's `StreamingListener`). Called on the engine's threads, for one batch always in the order of the
/// methods here: a slow listener slows the batches. A panic in a listener is logged and has no other effect.
pub trait BatchListener: Send + Sync {
    /// The engine has started, at `time_ms` since the epoch.
    fn streaming_started(&self, _time_ms: u64) {}
    /// A batch was cut and waits.
    fn batch_submitted(&self, _batch: &BatchInfo) {}
    /// A batch begins to run.
    fn batch_started(&self, _batch: &BatchInfo) {}
    /// An output operation begins.
    fn output_started(&self, _output: &OutputInfo) {}
    /// An output operation has ended, well or badly.
    fn output_completed(&self, _output: &OutputInfo) {}
    /// A batch has ended; when it succeeded, it is committed.
    fn batch_completed(&self, _batch: &BatchInfo) {}
}

/// The listeners of an engine; more may come while it runs.
#[derive(Clone, Default)]
pub(crate) struct Listeners(Arc<Mutex<Vec<Arc<dyn BatchListener>>>>);

impl Listeners {
    pub(crate) fn add(&self, listener: Arc<dyn BatchListener>) {
        lock(&self.0).push(listener);
    }

    pub(crate) fn tell(&self, event: impl Fn(&dyn BatchListener)) {
        // Called without the lock: a listener may add another.
        let listeners = lock(&self.0).clone();
        for listener in listeners {
            protect_callback("a batch listener", || event(&*listener));
        }
    }
}
