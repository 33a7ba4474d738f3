//! A worker of an application, and what it reads.

use std::sync::Arc;
use std::time::Duration;

use millstream_consumer::{Consumer, ConsumerConfig};
use millstream_kinesis::{AwsKinesis, InitialPosition, Kinesis};
use millstream_lease::{CoordinatorConfig, DynamoDbLeaseStore, Heartbeat, Lease, LeaseStore};
use tokio::time::{sleep, timeout};

use super::support::Local;

pub(super) const APPLICATION: &str = "app";
const PATIENCE: Duration = Duration::from_secs(60);

/// A client of the application's table.
pub(super) async fn store(local: &Local) -> DynamoDbLeaseStore {
    DynamoDbLeaseStore::connect(&local.settings(), APPLICATION).await
}

/// The leases, in the order of their shards.
pub(super) async fn leases(local: &Local) -> Vec<Lease> {
    let mut leases = store(local).await.scan().await.unwrap();
    leases.sort_by(|left, right| left.key.cmp(&right.key));
    leases
}

/// A worker of the stream `words`.
pub(super) struct Worker {
    consumer: Consumer,
}

impl Worker {
    pub(super) async fn start(local: &Local, name: &str, initial: InitialPosition) -> Self {
        Self::with(local, name, initial, Heartbeat::Lease).await
    }

    /// That shows that it lives in this way.
    pub(super) async fn with(local: &Local, name: &str, initial: InitialPosition, heartbeat: Heartbeat) -> Self {
        let kinesis: Arc<dyn Kinesis> = Arc::new(AwsKinesis::connect(&local.settings()).await.unwrap());
        let mut lease = CoordinatorConfig::new(name, initial);
        (lease.failover_ms, lease.scan_interval_ms, lease.checkpoint_interval_ms) = (3_000, 100, 100);
        lease.heartbeat = heartbeat;
        let config = ConsumerConfig::new("words", lease, name.bytes().map(u64::from).sum());
        Self { consumer: Consumer::start(kinesis, Arc::new(store(local).await), config).await.unwrap() }
    }

    /// The next records, at least so many; all of them are processed.
    pub(super) async fn read(&self, count: usize) -> Vec<String> {
        let mut words = Vec::new();
        let read = async {
            while words.len() < count {
                words.extend(self.cut());
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, read).await.unwrap_or_else(|_| panic!("only these were read: {words:?}"));
        words
    }

    /// What is there now.
    pub(super) fn cut(&self) -> Vec<String> {
        let cut = self.consumer.cut().unwrap();
        let blocks = cut.inputs.iter().flat_map(|input| &input.blocks);
        let words =
            blocks.flat_map(|block| block.iter().map(|record| String::from_utf8_lossy(record.data).into_owned()));
        let words = words.collect();
        self.consumer.processed(cut.id);
        words
    }

    /// Waits until the table is as it should be, reading on.
    pub(super) async fn until(&self, local: &Local, is_met: impl Fn(&[Lease]) -> bool) {
        let met = async {
            while !is_met(&leases(local).await) {
                self.cut();
                sleep(Duration::from_millis(20)).await;
            }
        };
        if timeout(PATIENCE, met).await.is_err() {
            panic!("the table did not become so: {:?}", leases(local).await);
        }
    }

    /// Writes the last checkpoints and gives the leases back.
    pub(super) async fn stop(mut self) {
        self.consumer.shutdown().await;
    }
}
