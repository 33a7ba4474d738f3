//! Several streams in one application, on the local service and its DynamoDB.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use millstream_consumer::{Consumer, ConsumerConfig, ConsumerError, ShardConsumer, StreamConfig};
use millstream_kinesis::{AwsKinesis, AwsSettings, InitialPosition, Kinesis, PutEntry};
use millstream_lease::{CoordinatorConfig, DynamoDbLeaseStore, Lease, LeaseStore};
use millstream_local::{LocalConfig, LocalService};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::support;

const APPLICATION: &str = "application";
/// No wait of a test that passes comes near it.
const LONG: Duration = Duration::from_secs(30);

struct World {
    service: LocalService,
    aws: AwsSettings,
    kinesis: Arc<AwsKinesis>,
    store: DynamoDbLeaseStore,
}

/// A worker, what it has processed of which stream, and what it is told to read.
struct Worker {
    consumer: Consumer,
    streams: watch::Sender<Vec<StreamConfig>>,
    seen: BTreeMap<String, Vec<String>>,
}

fn named(streams: &[&str]) -> Vec<StreamConfig> {
    let config = |stream: &&str| StreamConfig { stream: (*stream).to_owned(), initial: InitialPosition::TrimHorizon };
    streams.iter().map(config).collect()
}

fn lease_config(worker: &str) -> CoordinatorConfig {
    let mut lease = CoordinatorConfig::new(worker, InitialPosition::TrimHorizon);
    (lease.scan_interval_ms, lease.checkpoint_interval_ms) = (50, 50);
    lease
}

impl World {
    async fn new(streams: &[(&str, u32)]) -> Self {
        let service = LocalService::start(LocalConfig::default()).await.unwrap();
        for (stream, shards) in streams {
            service.create_stream("us-east-1", stream, *shards).await.unwrap();
        }
        let aws = support::settings(&service);
        let kinesis = Arc::new(AwsKinesis::connect(&aws).await.unwrap());
        let store = DynamoDbLeaseStore::connect(&aws, APPLICATION).await;
        World { service, aws, kinesis, store }
    }

    async fn start(&self, worker: &str, streams: &[&str]) -> Result<Worker, ConsumerError> {
        let (streams, receiver) = watch::channel(named(streams));
        let config = ConsumerConfig::several(receiver, lease_config(worker), 7);
        let store = Arc::new(DynamoDbLeaseStore::connect(&self.aws, APPLICATION).await);
        let consumer = Consumer::start(self.kinesis.clone(), store, config).await?;
        Ok(Worker { consumer, streams, seen: BTreeMap::new() })
    }

    async fn put(&self, stream: &str, data: &str) {
        self.kinesis.put_records(stream, &[PutEntry::new("key", data.to_owned())]).await.unwrap();
    }

    async fn leases(&self) -> BTreeMap<String, Lease> {
        let leases = self.store.scan().await.unwrap();
        leases.into_iter().map(|lease| (lease.key.clone(), lease)).collect()
    }

    /// The identifier that the leases of a stream are called by.
    async fn identifier(&self, stream: &str) -> String {
        let origin = self.kinesis.stream_origin(stream).await.unwrap();
        format!("{}:{stream}:{}", origin.account, origin.created_s)
    }

    /// Waits until the leases are so.
    async fn until_leases(&self, what: &str, are: impl Fn(&BTreeMap<String, Lease>) -> bool) {
        let began = Instant::now();
        loop {
            let leases = self.leases().await;
            if are(&leases) {
                return;
            }
            assert!(began.elapsed() < LONG, "{what}: {leases:#?}");
            sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Worker {
    fn work(&mut self) {
        let cut = self.consumer.cut().unwrap();
        for input in &cut.inputs {
            let seen = self.seen.entry(input.range.stream.to_string()).or_default();
            let records = input.blocks.iter().flat_map(|block| block.iter());
            seen.extend(records.map(|record| String::from_utf8(record.data.to_vec()).unwrap()));
        }
        self.consumer.processed(cut.id);
    }

    async fn until_seen(&mut self, stream: &str, data: &[&str]) {
        let began = Instant::now();
        while self.seen.get(stream).is_none_or(|seen| seen != data) {
            assert!(began.elapsed() < LONG, "{data:?} of {stream}: {:?}", self.seen);
            sleep(Duration::from_millis(10)).await;
            self.work();
        }
    }
}

#[tokio::test]
async fn streams_are_read_side_by_side_added_and_removed() {
    let world = World::new(&[("orders", 2), ("clicks", 1), ("returns", 1)]).await;
    for stream in ["orders", "clicks", "returns"] {
        world.put(stream, &format!("{stream} 1")).await;
    }
    let mut worker = world.start("w", &["orders", "clicks"]).await.unwrap();
    worker.until_seen("orders", &["orders 1"]).await;
    worker.until_seen("clicks", &["clicks 1"]).await;

    // Leases are called as those of a KCL that reads several streams.
    let (orders, clicks) = (world.identifier("orders").await, world.identifier("clicks").await);
    let keys: BTreeSet<String> = world.leases().await.into_keys().collect();
    let shard = |stream: &str, number: u32| format!("{stream}:shardId-{number:012}");
    assert_eq!(keys, [shard(&clicks, 0), shard(&orders, 0), shard(&orders, 1)].into());

    worker.streams.send(named(&["clicks", "returns"])).unwrap();
    worker.until_seen("returns", &["returns 1"]).await;
    let is_free = |leases: &BTreeMap<String, Lease>| {
        let mut of_orders = leases.values().filter(|lease| lease.stream() == orders);
        of_orders.all(|lease| lease.owner.is_none())
    };
    world.until_leases("given back", is_free).await;
    for stream in ["orders", "clicks"] {
        world.put(stream, &format!("{stream} 2")).await;
    }
    worker.until_seen("clicks", &["clicks 1", "clicks 2"]).await;
    assert_eq!(worker.seen["orders"], ["orders 1"], "it is not read any more");

    // Added again, it goes on behind its checkpoint.
    worker.streams.send(named(&["clicks", "orders"])).unwrap();
    worker.until_seen("orders", &["orders 1", "orders 2"]).await;
    worker.consumer.shutdown().await;
    assert!(world.leases().await.values().all(|lease| lease.owner.is_none()));
    world.service.shutdown().await;
}

#[tokio::test]
async fn two_workers_share_all_shards_of_all_streams() {
    let world = World::new(&[("orders", 3), ("clicks", 3)]).await;
    let first = world.start("first", &["orders", "clicks"]).await.unwrap();
    let second = world.start("second", &["orders", "clicks"]).await.unwrap();
    let is_even = |leases: &BTreeMap<String, Lease>| {
        let of = |owner: &str| {
            leases
                .values()
                .filter(|lease| lease.checkpoint_owner.is_none() && lease.owner.as_deref() == Some(owner))
                .count()
        };
        (of("first"), of("second")) == (3, 3)
    };
    world.until_leases("three each", is_even).await;
    drop((first, second));
    world.service.shutdown().await;
}

#[tokio::test]
async fn a_shard_is_split_in_its_own_stream() {
    let world = World::new(&[("orders", 1), ("clicks", 1)]).await;
    let mut worker = world.start("w", &["orders", "clicks"]).await.unwrap();
    world.put("orders", "before").await;
    worker.until_seen("orders", &["before"]).await;
    let settings = world.aws.load().await;
    let client = aws_sdk_kinesis::Client::new(&settings.into_builder().endpoint_url(world.service.endpoint()).build());
    let split = client.split_shard().stream_name("orders").shard_to_split("shardId-000000000000");
    split.new_starting_hash_key((1u128 << 127).to_string()).send().await.unwrap();
    world.put("orders", "after").await;
    world.put("clicks", "click").await;
    worker.until_seen("orders", &["before", "after"]).await;
    worker.until_seen("clicks", &["click"]).await;
    let (orders, clicks) = (world.identifier("orders").await, world.identifier("clicks").await);
    let leases = world.leases().await;
    assert!(leases[&format!("{orders}:shardId-000000000000")].is_ended());
    assert_eq!(leases[&format!("{orders}:shardId-000000000001")].parents, ["shardId-000000000000".into()]);
    assert!(!leases[&format!("{clicks}:shardId-000000000000")].is_ended(), "another shard of that name");
    drop(worker);
    world.service.shutdown().await;
}

#[tokio::test]
async fn a_stream_that_is_missing_at_the_start_is_an_error_and_later_is_not() {
    let world = World::new(&[("orders", 1)]).await;
    let Err(error) = world.start("w", &["orders", "lost"]).await else { panic!("`lost` was found") };
    assert!(error.to_string().contains("`lost`"), "{error}");
    let Err(error) = world.start("w", &["orders", "1:x"]).await else { panic!("`1:x` was taken") };
    assert!(error.to_string().contains("account:stream:epoch"), "{error}");

    let mut worker = world.start("w", &["orders"]).await.unwrap();
    worker.streams.send(named(&["orders", "lost"])).unwrap();
    world.put("orders", "1").await;
    worker.until_seen("orders", &["1"]).await;
    drop(worker);
    world.service.shutdown().await;
}

#[tokio::test]
async fn a_table_of_the_other_kind_is_refused() {
    let world = World::new(&[("orders", 1)]).await;
    let mut worker = world.start("w", &["orders"]).await.unwrap();
    world.until_leases("a lease", |leases| !leases.is_empty()).await;
    worker.consumer.shutdown().await;

    let single = ConsumerConfig::new("orders", lease_config("single"), 7);
    let mut single = ShardConsumer::start(world.kinesis.clone(), Arc::new(world.store.clone()), single).await.unwrap();
    let error = tokio::time::timeout(LONG, single.next()).await.unwrap().unwrap_err();
    assert!(error.to_string().contains("reads several streams"), "{error}");
    assert_eq!(world.leases().await.len(), 1, "nothing was written");
    world.service.shutdown().await;
}
