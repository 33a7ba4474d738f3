//! The progress of an engine that keeps its own offsets, in a lease table: so that a consumer or a KCL can go on where it ended.

mod error;
mod table;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use millstream_kinesis::{Checkpoint, Kinesis, ShardId};
use millstream_lease::{LeaseStore, StoreError};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

pub use error::PublishError;
use table::Table;

/// Between two looks at what is to be written.
const WRITE_EVERY: Duration = Duration::from_secs(1);

/// Holds the leases of all shards of a stream in the name of an engine, and writes how far each is processed.
///
/// It takes part in the rules of the table: what is written lies never before what is there, is conditional on the lease's
/// counter, and a lease of a worker that lives is left alone. One worker for all shards: it shares them with nobody.
pub struct Publisher {
    asking: mpsc::Sender<Ask>,
    task: JoinHandle<()>,
    /// Why nothing is written any more.
    broken: Arc<Mutex<Option<PublishError>>>,
}

enum Ask {
    /// All up to here is processed.
    Processed(BTreeMap<ShardId, Checkpoint>),
    /// Write it, give the leases back, and say so; go on.
    Settle(oneshot::Sender<Result<(), PublishError>>),
    /// Write it, give the leases back, say so, and end.
    Release(oneshot::Sender<()>),
}

impl Publisher {
    /// Begins to write for the worker of this name. `failover`: as of all workers of the application.
    pub fn start(
        kinesis: Arc<dyn Kinesis>,
        store: Arc<dyn LeaseStore>,
        stream: String,
        worker: String,
        failover: Duration,
    ) -> Self {
        let (asking, asked) = mpsc::channel(16);
        let broken = Arc::new(Mutex::new(None));
        let table = Table::new(kinesis, store, stream, worker, failover);
        let task = tokio::spawn(run(table, asked, broken.clone()));
        Self { asking, task, broken }
    }

    /// Everything up to these places is processed. It is written within a second or so.
    ///
    /// # Errors
    /// What has kept an earlier call from being written, for good.
    pub async fn processed(&self, places: BTreeMap<ShardId, Checkpoint>) -> Result<(), PublishError> {
        let broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match broken {
            Some(error) => Err(error),
            None => self.asking.send(Ask::Processed(places)).await.map_err(|_| PublishError::Ended),
        }
    }

    /// Waits until all is written, and gives the leases back: an engine that may be killed after any call, and not told, leaves
    /// nothing behind that another worker has to wait for. Takes as long as it takes to see whether an owner of a lease lives.
    ///
    /// # Errors
    /// What keeps it from being written, for good.
    pub async fn settle(&self) -> Result<(), PublishError> {
        let (done, answer) = oneshot::channel();
        self.asking.send(Ask::Settle(done)).await.map_err(|_| PublishError::Ended)?;
        answer.await.map_err(|_| PublishError::Ended)?
    }

    /// Writes what is left and gives the leases back, so that the next worker begins at once.
    pub async fn release(&self) {
        let (done, answer) = oneshot::channel();
        if self.asking.send(Ask::Release(done)).await.is_ok() {
            // None: it has ended already.
            let _ = answer.await;
        }
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// How far each shard of a stream is processed, as its lease table says; none where there is no table, or no lease.
///
/// # Errors
/// The table can't be read, or belongs to an application that reads several streams.
pub async fn published(store: &dyn LeaseStore) -> Result<Published, PublishError> {
    let leases = match store.scan().await {
        Ok(leases) => leases,
        Err(StoreError::TableMissing { .. }) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    if let Some(lease) = leases.iter().find(|lease| !lease.stream().is_empty()) {
        return Err(PublishError::SeveralStreams { lease: lease.key.clone() });
    }
    let latest = leases.iter().filter(|lease| lease.checkpoint == Checkpoint::Latest);
    Ok(Published {
        latest_since_ms: latest.filter_map(|lease| lease.latest_since_ms).min(),
        shards: leases.into_iter().map(|lease| (ShardId::from(lease.key), lease.checkpoint)).collect(),
    })
}

/// What a lease table says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// Up to where each shard is processed.
    pub shards: BTreeMap<ShardId, Checkpoint>,
    /// The moment that the oldest `LATEST` among them means, in milliseconds since the epoch, where it is written.
    pub latest_since_ms: Option<i64>,
}

async fn run(mut table: Table, mut asked: mpsc::Receiver<Ask>, broken: Arc<Mutex<Option<PublishError>>>) {
    let mut ticks = interval(WRITE_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut settling: Vec<oneshot::Sender<Result<(), PublishError>>> = Vec::new();
    loop {
        tokio::select! {
            _ = ticks.tick() => match table.write().await.and(table.renew().await) {
                Ok(()) if !settling.is_empty() && table.is_written() => {
                    table.release().await;
                    answer(&mut settling, &Ok(()));
                }
                Ok(()) => {}
                Err(error) if error.is_retryable() => {
                    tracing::warn!(%error, "progress could not be written; it is tried again in 1 s");
                }
                Err(error) => {
                    tracing::error!(%error, "progress is not written any more");
                    *broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
                    table.release().await;
                    answer(&mut settling, &Err(error));
                    return;
                }
            },
            ask = asked.recv() => match ask {
                Some(Ask::Processed(places)) => table.processed(places),
                Some(Ask::Settle(done)) => {
                    settling.push(done);
                    ticks.reset_immediately();
                }
                Some(Ask::Release(done)) => {
                    if let Err(error) = table.write().await {
                        tracing::warn!(%error, "the last progress could not be written; what follows it is processed once more");
                    }
                    table.release().await;
                    // Nobody may wait any more.
                    let _ = done.send(());
                    return;
                }
                None => return,
            },
        }
    }
}

fn answer(settling: &mut Vec<oneshot::Sender<Result<(), PublishError>>>, outcome: &Result<(), PublishError>) {
    for done in settling.drain(..) {
        // Nobody may wait any more.
        let _ = done.send(outcome.clone());
    }
}
