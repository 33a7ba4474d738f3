//! Deletions and reshards that take a while, and what finishes them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Kinesis;
use super::stream::Stream;

impl Kinesis {
    /// Something that began at a time has to be finished when its state ends.
    pub(super) fn due(&self, began_ms: u64) {
        self.next_due_ms.fetch_min(self.lifecycle.end_ms(began_ms), Ordering::Relaxed);
    }

    /// Finishes the deletions and reshards whose time has come, before a request that may ask for their outcome.
    pub(super) async fn settle(self: &Arc<Self>) {
        if self.now_ms() >= self.next_due_ms.load(Ordering::Relaxed) {
            let kinesis = Arc::clone(self);
            if let Err(error) = tokio::task::spawn_blocking(move || kinesis.finish_due()).await {
                tracing::error!(%error, "streams could not be brought up to date");
            }
        }
    }

    fn finish_due(&self) {
        let _changing = self.changing();
        self.next_due_ms.store(u64::MAX, Ordering::Relaxed);
        let streams: Vec<Arc<Stream>> = self.streams().values().flat_map(BTreeMap::values).cloned().collect();
        for stream in streams {
            let settings = stream.settings();
            let finished = match settings.deleting_ms {
                Some(began_ms) if self.lifecycle.is_over(began_ms) => self.remove(&stream),
                Some(began_ms) => {
                    self.due(began_ms);
                    continue;
                }
                None if settings.resharding.is_empty() => continue,
                None if self.lifecycle.is_over(settings.updated_ms) => self.carry_out(&stream, &settings.resharding),
                None => {
                    self.due(settings.updated_ms);
                    continue;
                }
            };
            if finished.is_err() {
                // The failure has been logged; the next request tries again.
                self.due(0);
            }
        }
    }
}
