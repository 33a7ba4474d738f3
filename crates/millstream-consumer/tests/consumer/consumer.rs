//! Workers in one process, on a Kinesis and a lease store in memory, under tokio's paused clock: an hour passes at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use millstream_consumer::{Consumer, ConsumerConfig, ConsumerError, Retrieval, ShardCounts};
use millstream_kinesis::testing::{FakeKinesis, Operation};
use millstream_kinesis::{Checkpoint, InitialPosition, KinesisError, PutEntry, ShardId};
use millstream_lease::{CoordinatorConfig, Heartbeat, LeaseStatus, LeaseStore, MemoryLeaseStore};
use tokio::time::{Instant, sleep};

const STREAM: &str = "orders";

struct World {
    kinesis: Arc<FakeKinesis>,
    store: MemoryLeaseStore,
    retrieval: Retrieval,
    fail_on_data_loss: bool,
    next: BTreeMap<ShardId, u32>,
}

impl World {
    fn new(shards: u32) -> Self {
        Self {
            kinesis: FakeKinesis::with_stream(STREAM, shards),
            store: MemoryLeaseStore::new(),
            retrieval: Retrieval::Polling,
            fail_on_data_loss: true,
            next: BTreeMap::new(),
        }
    }

    fn by(self, retrieval: Retrieval) -> Self {
        World { retrieval, ..self }
    }

    async fn worker(&self, name: &str) -> Consumer {
        let mut lease = CoordinatorConfig::new(name, InitialPosition::TrimHorizon);
        lease.checkpoint_interval_ms = 500;
        self.start(lease, ConsumerConfig::DEFAULT_BUFFER_BYTES).await.unwrap()
    }

    async fn start(&self, lease: CoordinatorConfig, buffer_bytes: u32) -> Result<Consumer, ConsumerError> {
        let config = ConsumerConfig {
            retrieval: self.retrieval.clone(),
            fail_on_data_loss: self.fail_on_data_loss,
            buffer_bytes,
            shutdown_timeout: Duration::from_secs(60),
            ..ConsumerConfig::new(STREAM, lease, 7)
        };
        Consumer::start(self.kinesis.clone(), Arc::new(self.store.clone()), config).await
    }

    /// Puts `count` records into a shard; each holds its number in the shard.
    fn put(&mut self, shard: &ShardId, count: u32) {
        let next = self.next.entry(shard.clone()).or_default();
        for number in *next..*next + count {
            self.kinesis.put(STREAM, shard, PutEntry::new(shard.as_str(), number.to_string()));
        }
        *next += count;
    }

    async fn checkpoint(&self, shard: &ShardId) -> Checkpoint {
        self.store.get(shard.as_str()).await.unwrap().expect("a lease").checkpoint
    }

    /// How many open leases each owner has; a lease on its way counts for nobody.
    async fn owners(&self) -> BTreeMap<String, usize> {
        let mut owners = BTreeMap::new();
        for lease in self.store.scan().await.unwrap() {
            let settled = lease.owner.filter(|_| lease.checkpoint_owner.is_none());
            if lease.checkpoint != Checkpoint::ShardEnd {
                *owners.entry(settled.unwrap_or_default()).or_default() += 1;
            }
        }
        owners
    }
}

fn shard(number: u32) -> ShardId {
    ShardId::from(format!("shardId-{number:012}"))
}

/// Tests of these stories, once with each retrieval.
macro_rules! either_way {
    ($($story:ident)*) => {
        mod polling {
            $(#[tokio::test(start_paused = true)] async fn $story() { super::$story(super::Retrieval::Polling).await })*
        }
        mod fan_out {
            fn retrieval() -> super::Retrieval {
                super::Retrieval::FanOut { consumer: "application".to_owned() }
            }
            $(#[tokio::test(start_paused = true)] async fn $story() { super::$story(retrieval()).await })*
        }
    };
}

either_way! {
    a_stopped_worker_leaves_its_place_exactly
    a_joining_worker_gets_half_and_nothing_is_repeated
    a_worker_that_vanished_is_replaced_after_the_failover_time
    children_are_read_after_their_parents_and_parents_end
    reading_waits_while_the_budget_is_used_up_and_goes_on_after
    a_paused_worker_reads_no_more_and_keeps_its_leases
    latest_is_one_moment_for_all_readers_of_a_lease
    a_handoff_at_latest_loses_nothing
    a_stream_that_was_made_again_is_read_from_its_beginning_or_is_an_error
    a_shard_that_is_gone_is_left_for_its_children_or_is_an_error
}

/// Cuts and reports until `done`; returns what came, by shard, in order.
async fn process(
    consumers: &[&Consumer],
    done: impl Fn(&BTreeMap<ShardId, Vec<u32>>) -> bool,
) -> BTreeMap<ShardId, Vec<u32>> {
    let mut seen: BTreeMap<ShardId, Vec<u32>> = BTreeMap::new();
    let deadline = Instant::now() + Duration::from_secs(120);
    while !done(&seen) {
        assert!(Instant::now() < deadline, "not done: {seen:?}");
        for consumer in consumers {
            let cut = consumer.cut().unwrap();
            for input in &cut.inputs {
                let records = input.blocks.iter().flat_map(|block| block.iter());
                let numbers = records.map(|record| std::str::from_utf8(record.data).unwrap().parse::<u32>().unwrap());
                seen.entry(input.range.shard.clone()).or_default().extend(numbers);
            }
            consumer.processed(cut.id);
        }
        sleep(Duration::from_millis(100)).await;
    }
    seen
}

fn total(seen: &BTreeMap<ShardId, Vec<u32>>) -> usize {
    seen.values().map(Vec::len).sum()
}

async fn a_stopped_worker_leaves_its_place_exactly(retrieval: Retrieval) {
    let mut world = World::new(2).by(retrieval);
    world.put(&shard(0), 50);
    world.put(&shard(1), 50);
    let mut first = world.worker("first").await;
    process(&[&first], |seen| total(seen) == 100).await;
    first.shutdown().await;
    assert_eq!(world.owners().await, BTreeMap::from([(String::new(), 2)]), "the leases are given back");

    world.put(&shard(0), 10);
    let second = world.worker("second").await;
    let seen = process(&[&second], |seen| total(seen) == 10).await;
    assert_eq!(seen, BTreeMap::from([(shard(0), (50..60).collect())]));
}

#[tokio::test(start_paused = true)]
async fn nothing_behind_a_failed_cut_is_checkpointed() {
    let mut world = World::new(1);
    world.put(&shard(0), 10);
    let mut first = world.worker("first").await;
    process(&[&first], |seen| total(seen) == 10).await;
    sleep(Duration::from_secs(2)).await;
    let reached = world.checkpoint(&shard(0)).await;
    assert!(matches!(reached, Checkpoint::At(_)));

    world.put(&shard(0), 10);
    sleep(Duration::from_secs(1)).await;
    let cut = first.cut().unwrap();
    assert_eq!(cut.inputs[0].range.records, 10);
    first.failed(cut.id);
    world.put(&shard(0), 10);
    process(&[&first], |seen| total(seen) == 10).await;
    sleep(Duration::from_secs(10)).await;
    first.shutdown().await;
    assert_eq!(world.checkpoint(&shard(0)).await, reached);

    let second = world.worker("second").await;
    let seen = process(&[&second], |seen| total(seen) == 20).await;
    assert_eq!(seen[&shard(0)], (10..30).collect::<Vec<_>>());
}

async fn a_joining_worker_gets_half_and_nothing_is_repeated(retrieval: Retrieval) {
    let mut world = World::new(4).by(retrieval);
    for number in 0..4 {
        world.put(&shard(number), 20);
    }
    let first = world.worker("first").await;
    let before = process(&[&first], |seen| total(seen) == 80).await;
    let second = world.worker("second").await;
    let even = BTreeMap::from([("first".to_owned(), 2), ("second".to_owned(), 2)]);
    let began = Instant::now();
    while world.owners().await != even {
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", world.owners().await);
        for consumer in [&first, &second] {
            let cut = consumer.cut().unwrap();
            assert_eq!(cut.inputs.len(), 0);
            consumer.processed(cut.id);
        }
        sleep(Duration::from_millis(100)).await;
    }
    for number in 0..4 {
        world.put(&shard(number), 20);
    }
    let after = process(&[&first, &second], |seen| total(seen) == 80).await;
    for number in 0..4 {
        assert_eq!(before[&shard(number)], (0..20).collect::<Vec<_>>());
        assert_eq!(after[&shard(number)], (20..40).collect::<Vec<_>>());
    }
}

async fn a_worker_that_vanished_is_replaced_after_the_failover_time(retrieval: Retrieval) {
    let mut world = World::new(2).by(retrieval);
    let first = world.worker("first").await;
    sleep(Duration::from_secs(5)).await;
    assert_eq!(world.owners().await, BTreeMap::from([("first".to_owned(), 2)]));
    drop(first);
    world.put(&shard(0), 5);
    world.put(&shard(1), 5);
    let died = Instant::now();
    let second = world.worker("second").await;
    process(&[&second], |seen| total(seen) == 10).await;
    let took = died.elapsed();
    assert!(took >= Duration::from_secs(10) && took < Duration::from_secs(15), "{took:?}");
}

async fn children_are_read_after_their_parents_and_parents_end(retrieval: Retrieval) {
    let mut world = World::new(2).by(retrieval);
    world.put(&shard(0), 20);
    let [left, right] = world.kinesis.split(STREAM, &shard(0));
    world.put(&left, 5);
    world.put(&right, 5);
    let merged = world.kinesis.merge(STREAM, &right, &shard(1));
    world.put(&merged, 5);

    let worker = world.worker("worker").await;
    sleep(Duration::from_secs(30)).await;
    let cut = worker.cut().unwrap();
    let shards: Vec<_> = cut.inputs.iter().map(|input| input.range.shard.clone()).collect();
    assert_eq!(shards, [shard(0)], "nothing else is read before this is processed");
    worker.processed(cut.id);
    let seen = process(&[&worker], |seen| total(seen) == 15).await;
    assert_eq!(seen.keys().cloned().collect::<Vec<_>>(), [left.clone(), right.clone(), merged.clone()]);
    sleep(Duration::from_secs(2)).await;
    for ended in [shard(0), shard(1), right] {
        assert_eq!(world.checkpoint(&ended).await, Checkpoint::ShardEnd, "{ended}");
    }
    assert!(matches!(world.checkpoint(&left).await, Checkpoint::At(_)));
}

async fn reading_waits_while_the_budget_is_used_up_and_goes_on_after(retrieval: Retrieval) {
    let mut world = World::new(1).by(retrieval);
    world.kinesis.set_page(10);
    world.put(&shard(0), 1_000);
    let lease = CoordinatorConfig::new("worker", InitialPosition::TrimHorizon);
    let worker = world.start(lease, 4_096).await.unwrap();
    sleep(Duration::from_secs(60)).await;
    let calls = world.kinesis.count(Operation::GetRecords);
    let queued = worker.status()[0].queued;
    sleep(Duration::from_secs(400)).await;
    assert_eq!(world.kinesis.count(Operation::GetRecords), calls, "reading waits");
    assert_eq!(worker.status()[0].queued, queued);
    assert!(worker.status()[0].queued < 100, "{:?}", worker.status());
    let seen = process(&[&worker], |seen| total(seen) == 1_000).await;
    assert_eq!(seen[&shard(0)], (0..1_000).collect::<Vec<_>>());
}

async fn a_paused_worker_reads_no_more_and_keeps_its_leases(retrieval: Retrieval) {
    let mut world = World::new(1).by(retrieval);
    world.put(&shard(0), 5);
    let worker = world.worker("worker").await;
    sleep(Duration::from_secs(3)).await;
    worker.pause();
    sleep(Duration::from_secs(1)).await;
    assert!(!worker.is_drained());
    world.put(&shard(0), 5);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(world.owners().await, BTreeMap::from([("worker".to_owned(), 1)]));
    process(&[&worker], |seen| total(seen) == 5).await;
    assert!(worker.is_drained());
}

#[tokio::test(start_paused = true)]
async fn shards_that_are_far_behind_do_not_each_hold_an_answer_beside_the_budget() {
    let mut world = World::new(4);
    world.kinesis.set_page(100);
    for number in 0..4 {
        world.put(&shard(number), 100);
    }
    let lease = CoordinatorConfig::new("worker", InitialPosition::TrimHorizon);
    let worker = world.start(lease, 4_096).await.unwrap();
    sleep(Duration::from_secs(60)).await;
    assert_eq!(world.kinesis.count(Operation::GetRecords), 1, "one answer is more than the budget");
    process(&[&worker], |seen| total(seen) == 400).await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_not_there_is_told_at_the_start() {
    let world = World::new(1);
    let missing = KinesisError::StreamNotFound { stream: STREAM.to_owned(), region: "eu-central-1".to_owned() };
    world.kinesis.fail_next(Operation::ListShards, &missing, 1);
    let started = world.start(CoordinatorConfig::new("worker", InitialPosition::Latest), 1 << 20).await;
    let error = started.err().expect("an error").to_string();
    assert!(error.contains(STREAM) && error.contains("eu-central-1"), "{error}");
    assert!(world.store.scan().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_error_that_will_not_pass_ends_the_consumer_and_says_why() {
    let world = World::new(1);
    let worker = world.worker("worker").await;
    sleep(Duration::from_secs(3)).await;
    let refused = KinesisError::AccessDenied { message: "the key was deleted".to_owned() };
    world.kinesis.fail_next(Operation::GetRecords, &refused, 1_000);
    sleep(Duration::from_secs(3)).await;
    let error = worker.cut().expect_err("an error");
    assert!(error.to_string().contains("the key was deleted"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_fails_for_a_while_is_waited_for() {
    let mut world = World::new(1);
    world.put(&shard(0), 3);
    let throttled = KinesisError::Throttled;
    world.kinesis.fail_next(Operation::GetRecords, &throttled, 25);
    let worker = world.worker("worker").await;
    let seen = process(&[&worker], |seen| total(seen) == 3).await;
    assert_eq!(seen[&shard(0)], [0, 1, 2]);
}

/// A worker that begins at `LATEST`, at this time of the service's clock.
async fn latest_worker(world: &World, name: &str, now_ms: i64) -> Consumer {
    world.kinesis.set_clock_ms(now_ms);
    let mut lease = CoordinatorConfig::new(name, InitialPosition::Latest);
    lease.latest_since_ms = Some(now_ms);
    world.start(lease, ConsumerConfig::DEFAULT_BUFFER_BYTES).await.unwrap()
}

async fn latest_is_one_moment_for_all_readers_of_a_lease(retrieval: Retrieval) {
    let mut world = World::new(1).by(retrieval);
    world.kinesis.set_clock_ms(1_000);
    world.put(&shard(0), 5);
    let first = latest_worker(&world, "first", 2_000).await;
    sleep(Duration::from_secs(3)).await;
    world.kinesis.set_clock_ms(3_000);
    world.put(&shard(0), 5);
    sleep(Duration::from_secs(3)).await;
    let cut = first.cut().unwrap();
    assert_eq!(cut.inputs[0].range.records, 5, "what came before the start is left out");
    drop(first);

    world.kinesis.set_clock_ms(4_000);
    world.put(&shard(0), 5);
    let second = latest_worker(&world, "second", 5_000).await;
    let seen = process(&[&second], |seen| total(seen) >= 10).await;
    assert_eq!(seen[&shard(0)], (5..15).collect::<Vec<_>>(), "what was not processed comes again");
}

async fn a_handoff_at_latest_loses_nothing(retrieval: Retrieval) {
    let mut world = World::new(2).by(retrieval);
    let first = latest_worker(&world, "first", 1_000).await;
    sleep(Duration::from_secs(3)).await;
    let second = latest_worker(&world, "second", 2_000).await;
    for round in 0..50 {
        world.kinesis.set_clock_ms(3_000 + round);
        world.put(&shard(0), 1);
        world.put(&shard(1), 1);
        sleep(Duration::from_millis(100)).await;
    }
    let seen = process(&[&first, &second], |seen| total(seen) >= 100).await;
    for number in 0..2 {
        assert_eq!(seen[&shard(number)], (0..50).collect::<Vec<_>>());
    }
    assert_eq!(world.owners().await.len(), 2, "each has a shard");
}

#[tokio::test(start_paused = true)]
async fn an_outage_at_latest_loses_nothing() {
    let mut world = World::new(1);
    let worker = latest_worker(&world, "worker", 1_000).await;
    sleep(Duration::from_secs(1)).await;
    let away = KinesisError::Unreachable { endpoint: "here".to_owned(), message: "refused".to_owned() };
    world.kinesis.fail_next(Operation::GetRecords, &away, 15);
    world.kinesis.set_clock_ms(2_000);
    world.put(&shard(0), 5);
    sleep(Duration::from_secs(120)).await;
    world.kinesis.set_clock_ms(200_000);
    world.put(&shard(0), 5);
    let seen = process(&[&worker], |seen| total(seen) >= 10).await;
    assert_eq!(seen[&shard(0)], (0..10).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn an_observer_sees_all_leases_until_the_worker_ends() {
    let mut world = World::new(2);
    let mut consumer = world.worker("one").await;
    let observer = consumer.observer();
    world.put(&shard(0), 10);
    let mut processed = 0;
    while processed < 10 {
        sleep(Duration::from_millis(100)).await;
        let cut = consumer.cut().unwrap();
        processed += cut.inputs.iter().map(|input| input.range.records).sum::<u64>();
        consumer.processed(cut.id);
    }
    sleep(Duration::from_secs(2)).await;

    let seen = observer.look().await.unwrap();
    let keys: Vec<_> = seen.leases.iter().map(|seen| seen.lease.key.as_str()).collect();
    assert_eq!(keys, [shard(0).as_str(), shard(1).as_str()]);
    assert!(
        seen.leases.iter().all(|seen| seen.status == LeaseStatus::Reading && seen.lease.actual_owner() == Some("one"))
    );
    assert_eq!(seen.leases[0].lease.checkpoint, world.checkpoint(&shard(0)).await);
    assert_eq!(seen.listed.iter().map(|shard| shard.id.clone()).collect::<Vec<_>>(), [shard(0), shard(1)]);
    let counts = seen.reading[0].counts;
    assert_eq!((counts.records_read, counts.records_handed_out, counts.bytes_read), (10, 10, 10));
    assert_eq!(seen.reading[1].counts, ShardCounts::default());
    assert_eq!((seen.worker.as_str(), seen.error), ("one", None));

    consumer.shutdown().await;
    assert!(observer.look().await.is_none());
    assert!(observer.failure().is_none(), "it was asked to end");
}

/// A worker of an application whose initial position is the tip, which nothing of this may depend on.
async fn worker_at_latest(world: &World) -> Consumer {
    let lease = CoordinatorConfig::new("again", InitialPosition::Latest);
    world.start(lease, ConsumerConfig::DEFAULT_BUFFER_BYTES).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_is_dropped_reads_no_more() {
    let mut world = World::new(2);
    world.put(&shard(0), 5);
    let worker = world.worker("dropped").await;
    process(&[&worker], |seen| total(seen) == 5).await;
    drop(worker);
    sleep(Duration::from_secs(1)).await;
    let reads = world.kinesis.count(Operation::GetRecords);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(world.kinesis.count(Operation::GetRecords), reads);
}

async fn failure_of(consumer: &Consumer) -> ConsumerError {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        match consumer.cut() {
            Ok(cut) => assert!(cut.inputs.is_empty() && Instant::now() < deadline, "it reads: {cut:?}"),
            Err(error) => return error,
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// The checkpoints of the old stream are none of the new one, whose records must neither be skipped nor waited for.
async fn a_stream_that_was_made_again_is_read_from_its_beginning_or_is_an_error(retrieval: Retrieval) {
    let mut world = World::new(2).by(retrieval);
    world.put(&shard(0), 5);
    world.put(&shard(1), 5);
    let mut before = world.worker("before").await;
    process(&[&before], |seen| total(seen) == 10).await;
    before.shutdown().await;

    world.kinesis.remake(STREAM, 2);
    world.put(&shard(0), 3);
    world.put(&shard(1), 3);
    let strict = worker_at_latest(&world).await;
    let error = failure_of(&strict).await;
    assert!(matches!(error, ConsumerError::DataLoss(KinesisError::StreamRemade { .. })), "{error}");
    assert!(error.to_string().contains("spark.millstream.failOnDataLoss"), "{error}");
    drop(strict);

    world.fail_on_data_loss = false;
    let mut lenient = worker_at_latest(&world).await;
    let seen = process(&[&lenient], |seen| total(seen) == 6).await;
    assert_eq!(seen, [(shard(0), vec![5, 6, 7]), (shard(1), vec![5, 6, 7])].into());
    lenient.shutdown().await;

    // What it has read of the new stream is kept: nothing comes twice.
    world.put(&shard(0), 1);
    world.fail_on_data_loss = true;
    let after = worker_at_latest(&world).await;
    assert_eq!(process(&[&after], |seen| total(seen) > 0).await, [(shard(0), vec![8])].into());
}

/// A shard that was closed, and whose retention passed while nobody read.
async fn a_shard_that_is_gone_is_left_for_its_children_or_is_an_error(retrieval: Retrieval) {
    let mut world = World::new(1).by(retrieval);
    world.put(&shard(0), 5);
    let mut before = world.worker("before").await;
    process(&[&before], |seen| total(seen) == 5).await;
    before.shutdown().await;

    world.put(&shard(0), 5);
    let [lower, _] = world.kinesis.split(STREAM, &shard(0));
    world.put(&lower, 2);
    world.kinesis.forget(STREAM, &shard(0));
    let strict = worker_at_latest(&world).await;
    let error = failure_of(&strict).await;
    assert!(matches!(error, ConsumerError::DataLoss(KinesisError::ShardGone { .. })), "{error}");
    drop(strict);

    world.fail_on_data_loss = false;
    let lenient = worker_at_latest(&world).await;
    assert_eq!(process(&[&lenient], |seen| total(seen) == 2).await, [(lower, vec![0, 1])].into());
}

/// A worker with one sign of life for all its leases.
async fn sparing_worker(world: &World, name: &str) -> Consumer {
    let mut lease = CoordinatorConfig::new(name, InitialPosition::TrimHorizon);
    (lease.checkpoint_interval_ms, lease.heartbeat) = (500, Heartbeat::Worker);
    world.start(lease, ConsumerConfig::DEFAULT_BUFFER_BYTES).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn workers_with_one_sign_of_life_share_hand_over_and_replace_each_other() {
    let mut world = World::new(4);
    (0..4).for_each(|number| world.put(&shard(number), 10));
    let first = sparing_worker(&world, "first").await;
    process(&[&first], |seen| total(seen) == 40).await;
    sleep(Duration::from_secs(30)).await;
    let counters =
        async || world.store.scan().await.unwrap().into_iter().map(|lease| lease.counter).collect::<Vec<_>>();
    let before = counters().await;
    sleep(Duration::from_secs(60)).await;
    assert_eq!(before, counters().await, "nothing is renewed");

    let second = sparing_worker(&world, "second").await;
    sleep(Duration::from_secs(6)).await;
    assert_eq!(world.owners().await, [("first".to_owned(), 2), ("second".to_owned(), 2)].into());
    assert!(second.cut().unwrap().inputs.is_empty(), "a handoff repeats nothing");

    // Killed: the other one has all after the failover time and its next sign of life.
    drop(first);
    sleep(Duration::from_secs(15)).await;
    assert_eq!(world.owners().await, [("second".to_owned(), 4)].into());
    assert_eq!(world.store.sessions().await.unwrap().versions.into_keys().collect::<Vec<_>>(), ["second"]);
}

/// It would wait for renewals that never come, and take what others read.
#[tokio::test(start_paused = true)]
async fn a_worker_that_is_started_beside_sessions_has_one_too() {
    let world = World::new(2);
    let first = sparing_worker(&world, "first").await;
    sleep(Duration::from_secs(5)).await;
    let second = world.worker("second").await;
    sleep(Duration::from_secs(60)).await;
    assert_eq!(world.owners().await, [("first".to_owned(), 1), ("second".to_owned(), 1)].into());
    assert_eq!(world.store.sessions().await.unwrap().versions.len(), 2);
    drop((first, second));
}
