//! A consumer to whom the local service pushes records, over HTTP.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_kinesis::Client;
use millstream_consumer::{Consumer, ConsumerConfig, Retrieval};
use millstream_kinesis::kpl::Aggregator;
use millstream_kinesis::{AwsKinesis, InitialPosition, Kinesis, PutEntry};
use millstream_lease::{CoordinatorConfig, LeaseStore, MemoryLeaseStore};
use millstream_local::{Fault, FaultKind, LocalConfig, LocalService};
use tokio::time::{Instant, sleep, timeout};

use crate::support;

const STREAM: &str = "numbers";
const APPLICATION: &str = "application";
/// No wait of a test that passes comes near it.
const LONG: Duration = Duration::from_secs(30);

struct World {
    service: LocalService,
    kinesis: Arc<AwsKinesis>,
    store: MemoryLeaseStore,
    put: u32,
}

impl World {
    async fn new() -> Self {
        let service = LocalService::start(LocalConfig::default()).await.unwrap();
        service.create_stream("us-east-1", STREAM, 1).await.unwrap();
        let kinesis = Arc::new(AwsKinesis::connect(&support::settings(&service)).await.unwrap());
        World { service, kinesis, store: MemoryLeaseStore::new(), put: 0 }
    }

    fn fan_out() -> Retrieval {
        Retrieval::FanOut { consumer: APPLICATION.to_owned() }
    }

    async fn consumer(&self, retrieval: Retrieval) -> Consumer {
        let mut lease = CoordinatorConfig::new("worker", InitialPosition::TrimHorizon);
        lease.checkpoint_interval_ms = 10;
        lease.scan_interval_ms = 50;
        let config = ConsumerConfig { retrieval, ..ConsumerConfig::new(STREAM, lease, 7) };
        Consumer::start(self.kinesis.clone(), Arc::new(self.store.clone()), config).await.unwrap()
    }

    /// Puts the next numbers, the first of them in an aggregate.
    async fn put(&mut self, aggregated: u32, plain: u32) {
        let mut aggregator = Aggregator::new(usize::MAX);
        let mut entries = Vec::new();
        for at in 0..aggregated + plain {
            let entry = PutEntry::new("key", (self.put + at).to_string());
            entries.extend(if at < aggregated { aggregator.add(entry) } else { Some(entry) });
            if at + 1 == aggregated {
                entries.extend(aggregator.finish());
            }
        }
        self.put += aggregated + plain;
        self.kinesis.put_records(STREAM, &entries).await.unwrap();
    }

    async fn client(&self) -> Client {
        let settings = support::settings(&self.service).load().await;
        Client::new(&settings.into_builder().endpoint_url(self.service.endpoint()).build())
    }

    async fn split(&self) {
        let half = (1u128 << 127).to_string();
        let split = self.client().await.split_shard().stream_name(STREAM).shard_to_split("shardId-000000000000");
        split.new_starting_hash_key(half).send().await.unwrap();
    }

    /// How many consumers for fan-out the stream has.
    async fn consumers(&self) -> usize {
        let client = self.client().await;
        let summary = client.describe_stream_summary().stream_name(STREAM).send().await.unwrap();
        let arn = summary.stream_description_summary().unwrap().stream_arn();
        client.list_stream_consumers().stream_arn(arn).send().await.unwrap().consumers().len()
    }

    async fn subscriptions_end_after_five_minutes(&self) {
        self.service.clock().advance(Duration::from_secs(301));
        // The service may have ended one in the middle of a look at the others.
        sleep(Duration::from_millis(10)).await;
    }
}

/// The numbers of the next cuts, until there are as many.
async fn process(consumer: &Consumer, count: usize) -> Vec<u32> {
    let mut numbers = Vec::new();
    let all = async {
        while numbers.len() < count {
            let cut = consumer.cut().unwrap();
            for block in cut.inputs.iter().flat_map(|input| &input.blocks) {
                numbers.extend(block.iter().map(|record| str::from_utf8(record.data).unwrap().parse::<u32>().unwrap()));
            }
            consumer.processed(cut.id);
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(LONG, all).await.expect("more numbers");
    numbers
}

#[tokio::test]
async fn records_are_pushed_once_and_in_order_over_renewals_lost_connections_and_a_split() {
    let mut world = World::new().await;
    world.put(5, 5).await;
    let consumer = world.consumer(World::fan_out()).await;
    assert_eq!(process(&consumer, 10).await, (0..10).collect::<Vec<_>>());

    world.subscriptions_end_after_five_minutes().await;
    world.put(3, 2).await;
    assert_eq!(process(&consumer, 5).await, (10..15).collect::<Vec<_>>());

    let mut fault = Fault::new(FaultKind::StopEventStream { after: 2 });
    fault.operation = Some("SubscribeToShard".to_owned());
    fault.times = Some(1);
    world.service.faults().inject(fault);
    world.subscriptions_end_after_five_minutes().await;
    for _ in 0..3 {
        world.put(2, 1).await;
    }
    assert_eq!(process(&consumer, 9).await, (15..24).collect::<Vec<_>>());

    world.split().await;
    world.put(0, 3).await;
    assert_eq!(process(&consumer, 3).await, (24..27).collect::<Vec<_>>());
    let leases = world.store.scan().await.unwrap();
    assert!(leases.iter().any(|lease| lease.is_ended() && lease.key == "shardId-000000000000"), "{leases:?}");
    world.service.shutdown().await;
}

#[tokio::test]
async fn a_worker_goes_on_in_the_middle_of_what_the_last_one_was_pushed() {
    let mut world = World::new().await;
    world.put(10, 0).await;
    let mut first = world.consumer(World::fan_out()).await;
    assert_eq!(process(&first, 10).await, (0..10).collect::<Vec<_>>());
    first.shutdown().await;
    world.put(10, 5).await;
    let second = world.consumer(World::fan_out()).await;
    assert_eq!(process(&second, 15).await, (10..25).collect::<Vec<_>>());
    assert_eq!(world.consumers().await, 1);
    world.service.shutdown().await;
}

/// Not asserted: printed by `cargo test --test consumer fan_out:: -- --nocapture`.
#[tokio::test]
async fn the_time_from_put_to_batch_by_polling_and_by_fan_out() {
    for retrieval in [Retrieval::Polling, World::fan_out()] {
        let mut world = World::new().await;
        let consumer = world.consumer(retrieval.clone()).await;
        world.put(0, 1).await;
        process(&consumer, 1).await;
        let mut times = Vec::new();
        for wait in 0..40 {
            sleep(Duration::from_millis(wait)).await;
            let began = Instant::now();
            world.put(0, 1).await;
            process(&consumer, 1).await;
            times.push(began.elapsed());
        }
        times.sort();
        println!("{retrieval:?}: put to batch p50 {:?}, p95 {:?}", times[20], times[38]);
        world.service.shutdown().await;
    }
}
