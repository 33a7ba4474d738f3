//! Processors in the KCL's way, on the local service.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_kinesis::Client;
use millstream_consumer::processor::{
    InitializationInput, ProcessRecordsInput, ProcessorResult, Scheduler, SchedulerError, ShardRecordProcessor,
};
use millstream_consumer::{CheckpointError, Checkpointer, ConsumerConfig, ShardConsumer};
use millstream_kinesis::kpl::Aggregator;
use millstream_kinesis::{AwsKinesis, Checkpoint, InitialPosition, Kinesis, Position, PutEntry};
use millstream_lease::{CoordinatorConfig, LeaseStore, MemoryLeaseStore};
use millstream_local::{LocalConfig, LocalService};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::support;

const STREAM: &str = "numbers";
/// No wait of a test that passes comes near it.
const LONG: Duration = Duration::from_secs(60);

/// What happened, in order: `worker shard event`.
type Journal = Arc<Mutex<Vec<String>>>;

/// When a processor writes checkpoints.
#[derive(Clone, Copy, PartialEq)]
enum Habit {
    /// After each call, and at the end.
    Always,
    /// At the record with this number, once it was delivered.
    At(u32),
    /// At the end of the worker alone.
    AtShutdown,
    /// Prepares each and writes none.
    Prepares,
    /// Never.
    Never,
}

struct Processor {
    worker: &'static str,
    habit: Habit,
    shard: String,
    journal: Journal,
    refused: Option<CheckpointError>,
}

impl Processor {
    fn note(&self, event: impl std::fmt::Display) {
        self.journal.lock().unwrap().push(format!("{} {} {event}", self.worker, &self.shard[self.shard.len() - 1..]));
    }
}

#[async_trait]
impl ShardRecordProcessor for Processor {
    async fn initialize(&mut self, input: InitializationInput) -> ProcessorResult {
        self.shard = input.shard.to_string();
        self.note(format!("begins at {}", input.checkpoint.word()));
        if let Some((pending, state)) = input.pending {
            self.note(format!("knows {} of {}", String::from_utf8(state.unwrap())?, pending.sub()));
        }
        Ok(())
    }

    async fn process_records(&mut self, input: ProcessRecordsInput, checkpointer: &Checkpointer) -> ProcessorResult {
        for record in input.records() {
            let number = str::from_utf8(record.data)?;
            self.note(number);
            if self.habit == Habit::At(number.parse()?) {
                let position = Position { sequence: record.sequence.parse()?, sub: record.sub };
                checkpointer.checkpoint_at(position).await?;
            }
        }
        if self.habit == Habit::Prepares {
            let prepared = checkpointer.prepare(None, Some(b"half".to_vec())).await?;
            self.note(format!("prepared {}", prepared.at().sub()));
        }
        if self.habit == Habit::Always {
            checkpointer.checkpoint().await.inspect_err(|error| self.refused = Some(error.clone()))?;
        }
        Ok(())
    }

    async fn lease_lost(&mut self) -> ProcessorResult {
        self.note(if self.refused.is_some() { "lost and refused" } else { "lost" });
        Ok(())
    }

    async fn shard_ended(&mut self, checkpointer: &Checkpointer) -> ProcessorResult {
        self.note("ended");
        if self.habit != Habit::Never {
            checkpointer.checkpoint().await?;
        }
        Ok(())
    }

    async fn shutdown_requested(&mut self, checkpointer: &Checkpointer) -> ProcessorResult {
        self.note("shutdown");
        if matches!(self.habit, Habit::Always | Habit::AtShutdown) {
            checkpointer.checkpoint().await?;
        }
        Ok(())
    }
}

/// A worker that runs.
struct Worker {
    shutdown: CancellationToken,
    scheduler: JoinHandle<Result<(), SchedulerError>>,
}

impl Worker {
    async fn stop(self) -> Result<(), SchedulerError> {
        self.shutdown.cancel();
        timeout(LONG, self.scheduler).await.expect("an end").unwrap()
    }

    async fn end(self) -> Result<(), SchedulerError> {
        timeout(LONG, self.scheduler).await.expect("an end").unwrap()
    }
}

struct World {
    service: LocalService,
    kinesis: Arc<AwsKinesis>,
    store: MemoryLeaseStore,
    journal: Journal,
    put: u32,
}

impl World {
    async fn new(shards: u32) -> Self {
        let service = LocalService::start(LocalConfig::default()).await.unwrap();
        service.create_stream("us-east-1", STREAM, shards).await.unwrap();
        let kinesis = Arc::new(AwsKinesis::connect(&support::settings(&service)).await.unwrap());
        World { service, kinesis, store: MemoryLeaseStore::new(), journal: Journal::default(), put: 0 }
    }

    async fn worker(&self, worker: &'static str, habit: Habit) -> Worker {
        let mut lease = CoordinatorConfig::new(worker, InitialPosition::TrimHorizon);
        lease.scan_interval_ms = 50;
        let config = ConsumerConfig::new(STREAM, lease, 7);
        let consumer = ShardConsumer::start(self.kinesis.clone(), Arc::new(self.store.clone()), config).await.unwrap();
        let (journal, shutdown) = (self.journal.clone(), CancellationToken::new());
        let factory =
            move || Processor { worker, habit, shard: String::new(), journal: journal.clone(), refused: None };
        let scheduler = tokio::spawn(Scheduler::new(consumer, factory).run(shutdown.clone()));
        Worker { shutdown, scheduler }
    }

    /// Puts the next numbers in one aggregate.
    async fn put_aggregate(&mut self, count: u32) {
        let mut aggregator = Aggregator::new(usize::MAX);
        for number in self.put..self.put + count {
            assert!(aggregator.add(PutEntry::new("key", number.to_string())).is_none());
        }
        self.put += count;
        self.kinesis.put_records(STREAM, &[aggregator.finish().unwrap()]).await.unwrap();
    }

    /// Puts the next numbers, each with a key of its own.
    async fn put(&mut self, count: u32) {
        let numbers = (self.put..self.put + count).map(|number| number.to_string());
        let entries: Vec<PutEntry> = numbers.map(|number| PutEntry::new(&number, number.clone())).collect();
        self.put += count;
        self.kinesis.put_records(STREAM, &entries).await.unwrap();
    }

    async fn split(&self) {
        let settings = support::settings(&self.service).load().await;
        let client = Client::new(&settings.into_builder().endpoint_url(self.service.endpoint()).build());
        let split = client.split_shard().stream_name(STREAM).shard_to_split("shardId-000000000000");
        split.new_starting_hash_key((1u128 << 127).to_string()).send().await.unwrap();
    }

    /// Waits for an event.
    async fn until(&self, what: &str, is_there: impl Fn(&[String]) -> bool) {
        let there = async {
            loop {
                // A copy: conditions look at the journal, too.
                let journal = self.journal.lock().unwrap().clone();
                if is_there(&journal) {
                    return;
                }
                sleep(Duration::from_millis(5)).await;
            }
        };
        let seen = timeout(LONG, there).await;
        assert!(seen.is_ok(), "{what}: {:?}", self.journal.lock().unwrap());
    }

    async fn until_event(&self, event: &str) {
        self.until(event, |journal| journal.iter().any(|line| line == event)).await;
    }

    /// The numbers that were processed, in order, and how often each.
    fn processed(&self) -> BTreeMap<u32, usize> {
        let mut processed = BTreeMap::new();
        for line in self.journal.lock().unwrap().iter() {
            if let Ok(number) = line.rsplit(' ').next().unwrap().parse() {
                *processed.entry(number).or_default() += 1;
            }
        }
        processed
    }

    async fn checkpoint(&self, number: u32) -> Checkpoint {
        self.store.get(&format!("shardId-{number:012}")).await.unwrap().expect("a lease").checkpoint
    }
}

#[tokio::test]
async fn a_checkpoint_within_an_aggregate_is_exact() {
    let mut world = World::new(1).await;
    world.put_aggregate(10).await;
    let first = world.worker("first", Habit::At(6)).await;
    world.until_event("first 0 9").await;
    first.stop().await.unwrap();
    assert_eq!(world.checkpoint(0).await.sub(), 6);

    world.journal.lock().unwrap().clear();
    let second = world.worker("second", Habit::Always).await;
    world.until_event("second 0 9").await;
    second.stop().await.unwrap();
    assert_eq!(world.processed().into_keys().collect::<Vec<_>>(), [7, 8, 9]);
    world.service.shutdown().await;
}

#[tokio::test]
async fn a_prepared_checkpoint_is_told_to_the_next_reader_and_ended_by_the_next_checkpoint() {
    let mut world = World::new(1).await;
    world.put_aggregate(10).await;
    let first = world.worker("first", Habit::Prepares).await;
    world.until_event("first 0 prepared 9").await;
    first.stop().await.unwrap();
    assert_eq!(world.checkpoint(0).await, Checkpoint::TrimHorizon);

    let second = world.worker("second", Habit::Always).await;
    world.until_event("second 0 knows half of 9").await;
    world.until_event("second 0 9").await;
    second.stop().await.unwrap();
    assert_eq!(world.checkpoint(0).await.sub(), 9);
    let leases = world.store.scan().await.unwrap();
    assert!(leases.iter().all(|lease| lease.pending_checkpoint.is_none() && lease.pending_state.is_none()));
    world.service.shutdown().await;
}

#[tokio::test]
async fn children_are_processed_after_the_parent_was_checkpointed_at_its_end() {
    let mut world = World::new(1).await;
    world.put(5).await;
    world.split().await;
    world.put(20).await;
    let worker = world.worker("worker", Habit::Always).await;
    world
        .until("all", |journal| {
            journal.iter().filter(|line| line.rsplit(' ').next().unwrap().parse::<u32>().is_ok()).count() == 25
        })
        .await;
    worker.stop().await.unwrap();
    let journal = world.journal.lock().unwrap().clone();
    let at =
        |event: &str| journal.iter().position(|line| line == event).unwrap_or_else(|| panic!("{event}: {journal:?}"));
    assert!(at("worker 0 4") < at("worker 0 ended"));
    assert!(at("worker 0 ended") < at("worker 1 begins at TRIM_HORIZON"));
    assert!(at("worker 0 ended") < at("worker 2 begins at TRIM_HORIZON"));
    assert_eq!(world.checkpoint(0).await, Checkpoint::ShardEnd);
    world.service.shutdown().await;
}

#[tokio::test]
async fn an_end_without_a_checkpoint_is_an_error() {
    let mut world = World::new(1).await;
    world.put(5).await;
    world.split().await;
    let worker = world.worker("worker", Habit::Never).await;
    let error = worker.end().await.unwrap_err();
    assert!(matches!(error, SchedulerError::EndNotCheckpointed { .. }), "{error}");
    assert!(error.to_string().contains("shardId-000000000000"), "{error}");
    assert_eq!(world.checkpoint(0).await, Checkpoint::TrimHorizon);
    world.service.shutdown().await;
}

#[tokio::test]
async fn a_shard_goes_to_a_joining_worker_with_its_last_checkpoint() {
    let mut world = World::new(2).await;
    let first = world.worker("first", Habit::AtShutdown).await;
    world.put(40).await;
    world.until("all", |journal| journal.len() == 42).await;
    let second = world.worker("second", Habit::AtShutdown).await;
    world.until("a handoff", |journal| journal.iter().any(|line| line.starts_with("second"))).await;
    world.put(40).await;
    world.until("all", |_| world.processed().len() == 80).await;
    first.stop().await.unwrap();
    second.stop().await.unwrap();
    assert!(world.processed().values().all(|&times| times == 1), "{:?}", world.journal.lock().unwrap());
    let leases = world.store.scan().await.unwrap();
    assert!(leases.iter().all(|lease| lease.owner.is_none()), "given back: {leases:?}");
    world.service.shutdown().await;
}

#[tokio::test]
async fn the_checkpoint_of_a_worker_that_lost_its_lease_is_refused() {
    let mut world = World::new(1).await;
    let worker = world.worker("worker", Habit::Always).await;
    world.put(1).await;
    world.until_event("worker 0 0").await;
    // Another worker takes it, as after a pause of this one for longer than the failover time.
    let key = "shardId-000000000000";
    while {
        let seen = world.store.get(key).await.unwrap().unwrap();
        world.store.take(&seen, "thief").await.unwrap().is_none()
    } {}
    let stolen = world.checkpoint(0).await;
    world.put(1).await;
    world.until("the loss", |journal| journal.iter().any(|line| line.starts_with("worker 0 lost"))).await;
    assert_eq!(world.checkpoint(0).await, stolen, "nothing is written for the lost lease");
    worker.stop().await.unwrap();
    world.service.shutdown().await;
}
