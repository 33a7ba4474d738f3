//! The listener that keeps the history, and wakes who shows it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use millstream_engine::{BatchInfo, BatchListener, OutputInfo};
use tokio::sync::watch;

use crate::History;
use crate::history::Receiver;

/// Keeps a [`History`] of what the engine tells. Its lock is held for as long as an event is noted or a page is put together.
#[derive(Debug)]
pub struct Feed {
    history: Mutex<History>,
    /// The history's version; wakes the pages.
    version: watch::Sender<u64>,
}

impl Feed {
    /// Begins with this history.
    pub fn new(history: History) -> Self {
        let version = watch::Sender::new(history.version());
        Self { history: Mutex::new(history), version }
    }

    /// A receiver says how it is.
    pub fn receiver_changed(&self, input: usize, receiver: Receiver) {
        self.note(|history| history.receiver_changed(input, receiver));
    }

    /// The history as it is now.
    pub fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells of every change.
    pub(crate) fn versions(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    fn note(&self, change: impl FnOnce(&mut History)) {
        let mut history = self.history();
        change(&mut history);
        let version = history.version();
        drop(history);
        self.version.send_replace(version);
    }
}

impl BatchListener for Feed {
    fn streaming_started(&self, time_ms: u64) {
        self.note(|history| history.streaming_started(time_ms));
    }

    fn batch_submitted(&self, batch: &BatchInfo) {
        self.note(|history| history.batch_submitted(batch));
    }

    fn batch_started(&self, batch: &BatchInfo) {
        self.note(|history| history.batch_started(batch));
    }

    fn output_started(&self, output: &OutputInfo) {
        self.note(|history| history.output_changed(output));
    }

    fn output_completed(&self, output: &OutputInfo) {
        self.note(|history| history.output_changed(output));
    }

    fn batch_completed(&self, batch: &BatchInfo) {
        self.note(|history| history.batch_completed(batch));
    }
}
