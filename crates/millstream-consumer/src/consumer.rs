//! The handle of a running worker.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use millstream_kinesis::{Kinesis, now_ms};
use millstream_lease::{Heartbeat, LeaseStore};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::buffer::{Buffer, Cut, CutId, CutLimits};
use crate::config::{ConsumerConfig, Streams};
use crate::driver::Driver;
use crate::error::ConsumerError;
use crate::metrics::Reporter;
use crate::overview::Observer;
use crate::shard_stream::ShardStream;
use crate::shared::Shared;
use crate::status::ShardStatus;
use crate::streams::Found;

/// A worker that shares the shards of its streams with the other workers of its application. Dropping it stops it without
/// giving its leases back; [`Consumer::shutdown`] gives them back.
///
/// Delivery is at least once: a record is handed out again, here or by another worker, unless a checkpoint at or behind it
/// was written, and that happens only after [`Consumer::processed`].
pub struct Consumer {
    shared: Arc<Shared>,
    config: ConsumerConfig,
    observer: Observer,
    pausing: CancellationToken,
    stopping: CancellationToken,
    driver: JoinHandle<()>,
    reporter: Option<Reporter>,
    shut: AtomicBool,
}

impl Consumer {
    /// Makes sure that the streams and the lease table are there, then starts to take leases and to read.
    ///
    /// # Errors
    /// A stream or the table can't be had: missing, refused, unreachable, or a table of another kind.
    pub async fn start(
        kinesis: Arc<dyn Kinesis>,
        store: Arc<dyn LeaseStore>,
        config: ConsumerConfig,
    ) -> Result<Self, ConsumerError> {
        let buffer = match &config.history {
            Some(history) => Buffer::behind(history),
            None => Buffer::new(),
        };
        Self::launch(kinesis, store, config, buffer, None).await
    }

    /// As [`Consumer::start`], with the buffer to fill, and where each shard that is read is told of.
    pub(crate) async fn launch(
        kinesis: Arc<dyn Kinesis>,
        store: Arc<dyn LeaseStore>,
        mut config: ConsumerConfig,
        buffer: Buffer<OwnedSemaphorePermit>,
        streams: Option<UnboundedSender<ShardStream>>,
    ) -> Result<Self, ConsumerError> {
        config.lease.latest_since_ms.get_or_insert_with(now_ms);
        config.lease.joins_fleet &= store.fleet().is_some();
        config.lease.reads_several = matches!(config.streams, Streams::Several(_));
        let shared = Arc::new(Shared::new(buffer, config.buffer_bytes));
        let (pausing, stopping) = (CancellationToken::new(), CancellationToken::new());
        let finding = Found::find(kinesis.clone(), &config.streams, config.lease.latest_since_ms);
        let ensuring = async {
            store.ensure().await?;
            Ok(store.sessions().await?)
        };
        let (found, sessions) = tokio::try_join!(finding, ensuring)?;
        // Workers that live by their sessions would lose their leases to one that waits for renewals.
        if config.lease.heartbeat == Heartbeat::Lease && !sessions.versions.is_empty() {
            tracing::warn!(
                "other workers of the application show one sign of life for all their leases, and so does this one"
            );
            config.lease.heartbeat = Heartbeat::Worker;
        }
        let (asking, asked) = mpsc::channel(1);
        let driver = Driver::new(kinesis, store, shared.clone(), &config, pausing.clone(), stopping.clone(), streams);
        let driver = tokio::spawn(driver.run(found, asked));
        let observer = Observer::new(asking, &shared);
        let several = config.lease.reads_several;
        let reporter = config.metrics.take().map(|metrics| Reporter::start(metrics, several, observer.clone()));
        Ok(Self { shared, config, observer, pausing, stopping, driver, reporter, shut: AtomicBool::new(false) })
    }

    /// Takes what is queued now, without waiting. Cuts are to be reported by [`Consumer::processed`] or
    /// [`Consumer::failed`]; their memory counts against the budget until then.
    ///
    /// # Errors
    /// The consumer stopped by itself: the error says why.
    pub fn cut(&self) -> Result<Cut, ConsumerError> {
        self.cut_at_most(u64::MAX)
    }

    /// As [`Consumer::cut`], with at most so many records, about as many of each shard.
    ///
    /// # Errors
    /// As [`Consumer::cut`].
    pub fn cut_at_most(&self, records: u64) -> Result<Cut, ConsumerError> {
        self.cut_within(CutLimits { records, ..CutLimits::default() })
    }

    /// As [`Consumer::cut`], with no more than the limits say, about as much of each shard.
    ///
    /// # Errors
    /// As [`Consumer::cut`].
    pub fn cut_within(&self, limits: CutLimits) -> Result<Cut, ConsumerError> {
        self.health()?;
        Ok(self.shared.buffer().cut_within(limits))
    }

    /// Whether the worker runs, or was told to stop.
    pub(crate) fn health(&self) -> Result<(), ConsumerError> {
        match self.shared.fatal() {
            Some(error) => Err(error),
            None if self.driver.is_finished() && !self.shut.load(Ordering::Acquire) => {
                Err(ConsumerError::Stopped { stream: self.config.streams.name().into_owned() })
            }
            None => Ok(()),
        }
    }

    /// All outputs of the cut have succeeded: checkpoints may move past it.
    pub fn processed(&self, cut: CutId) {
        self.shared.buffer().processed(cut);
        self.shared.changed.notify_one();
    }

    /// An output of the cut has failed: checkpoints of its shards stay before it until another worker, or this program
    /// started again, has processed it.
    pub fn failed(&self, cut: CutId) {
        self.shared.buffer().failed(cut);
        self.shared.changed.notify_one();
    }

    /// Stops reading, for good. Leases are kept and renewed, so that what is queued can be cut and processed in peace.
    pub fn pause(&self) {
        self.pausing.cancel();
    }

    /// Takes no record that arrived later than this, in milliseconds since the epoch; shards that are there are read no more.
    pub(crate) fn stop_at(&self, until_ms: i64) {
        self.shared.buffer().stop_at(until_ms);
    }

    /// Whether nothing is queued.
    pub fn is_drained(&self) -> bool {
        self.shared.buffer().is_empty()
    }

    /// A line for each shard that this worker reads.
    pub fn status(&self) -> Vec<ShardStatus> {
        self.shared.buffer().status()
    }

    /// Sees all leases of the application, also from another thread, for as long as the worker runs.
    pub fn observer(&self) -> Observer {
        self.observer.clone()
    }

    /// Writes the last checkpoints and gives the leases back, so that the next worker reads at once. Cuts not reported yet
    /// are waited for; after the configured timeout the leases are left to expire.
    pub async fn shutdown(&mut self) {
        self.shut.store(true, Ordering::Release);
        // Looked at while it has its leases, and reported beside their end.
        let reporter = self.reporter.take();
        let last = if reporter.is_some() { self.observer.look().await } else { None };
        self.stopping.cancel();
        let reported = async {
            if let Some(reporter) = reporter {
                reporter.end(last).await;
            }
        };
        tokio::join!(self.give_back(), reported);
    }

    async fn give_back(&mut self) {
        if tokio::time::timeout(self.config.shutdown_timeout, &mut self.driver).await.is_err() {
            tracing::warn!(stream = %self.config.streams.name(), "leases could not be given back in time; they expire by themselves");
            self.driver.abort();
        }
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.driver.abort();
    }
}
