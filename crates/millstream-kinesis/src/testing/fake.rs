use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::fan_out::{FakeSubscription, FanOut};
use super::shard::FakeShard;
use crate::{
    GetRecords, HashKey, HashKeyRange, Kinesis, KinesisError, PutEntry, PutOutcome, ReadFrom, SequenceNumber, Shard,
    ShardId, StreamConsumer, StreamOrigin, Subscription,
};

/// An operation of the [`Kinesis`] trait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// [`Kinesis::list_shards`].
    ListShards,
    /// [`Kinesis::get_iterator`].
    GetIterator,
    /// [`Kinesis::get_records`].
    GetRecords,
    /// [`Kinesis::find_consumer`].
    FindConsumer,
    /// [`Kinesis::register_consumer`].
    RegisterConsumer,
    /// [`Kinesis::subscribe`].
    Subscribe,
    /// [`Kinesis::put_records`].
    PutRecords,
    /// [`Kinesis::create_stream`].
    CreateStream,
    /// [`Kinesis::stream_active`].
    StreamActive,
}

/// A call that was made.
#[derive(Debug, Clone)]
pub struct Call {
    /// What was called.
    pub operation: Operation,
    /// The shard, where the operation has one.
    pub shard: Option<ShardId>,
    /// Where an iterator or a subscription was asked for.
    pub at: Option<ReadFrom>,
    /// When, by tokio's clock (which a test can pause).
    pub when: Instant,
}

/// A Kinesis in memory. Methods of its own script it; they panic when a stream or shard is not there.
#[derive(Debug, Default)]
pub struct FakeKinesis {
    shared: Arc<Shared>,
}

/// What the fake and its subscriptions share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// Something has changed that a subscription may wait for.
    pub(super) changed: Notify,
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) fan_out: FanOut,
    streams: BTreeMap<String, Vec<FakeShard>>,
    sequence: u128,
    generation: u64,
    pub(super) page: Option<usize>,
    clock_ms: Option<i64>,
    latency: Duration,
    failures: HashMap<Operation, VecDeque<KinesisError>>,
    rejections: HashMap<String, u32>,
    pub(super) truncations: u32,
    calls: Vec<Call>,
}

impl FakeKinesis {
    /// With one stream of `shards` even shards, named `shardId-000000000000` and on.
    pub fn with_stream(stream: &str, shards: u32) -> Arc<Self> {
        let fake = FakeKinesis::default();
        fake.state().create(stream, shards);
        Arc::new(fake)
    }

    /// Puts a record into this shard, wherever its key belongs.
    pub fn put(&self, stream: &str, shard: &ShardId, entry: PutEntry) -> SequenceNumber {
        let mut state = self.state();
        let sequence = state.next_sequence();
        let now = state.now_ms();
        state.shard(stream, shard).push(entry.data, entry.partition_key, sequence.clone(), now);
        self.shared.changed.notify_waiters();
        sequence
    }

    /// Closes a shard and opens two that halve its hash keys.
    pub fn split(&self, stream: &str, shard: &ShardId) -> [ShardId; 2] {
        let mut state = self.state();
        let HashKeyRange { start, end } = state.shard(stream, shard).shard.hash_range;
        let middle = start.value() + (end.value() - start.value()) / 2;
        let lower = HashKeyRange { start, end: HashKey::new(middle) };
        let upper = HashKeyRange { start: HashKey::new(middle + 1), end };
        let parents = [shard.clone()];
        let children = [lower, upper].map(|range| state.reshard(stream, &parents, range));
        self.shared.changed.notify_waiters();
        children
    }

    /// Closes two adjacent shards, the lower one first, and opens one with the hash keys of both.
    pub fn merge(&self, stream: &str, lower: &ShardId, upper: &ShardId) -> ShardId {
        let mut state = self.state();
        let start = state.shard(stream, lower).shard.hash_range.start;
        let end = state.shard(stream, upper).shard.hash_range.end;
        let child = state.reshard(stream, &[lower.clone(), upper.clone()], HashKeyRange { start, end });
        self.shared.changed.notify_waiters();
        child
    }

    /// Deletes a stream and makes it again under its name, with so many shards. Its consumers are gone with it.
    pub fn remake(&self, stream: &str, shards: u32) {
        let mut state = self.state();
        state.create(stream, shards);
        state.fan_out.clear(stream);
        self.shared.changed.notify_waiters();
    }

    /// Forgets a closed shard, as when its retention has passed.
    pub fn forget(&self, stream: &str, shard: &ShardId) {
        self.state().streams.entry(stream.to_owned()).or_default().retain(|fake| fake.shard.id != *shard);
    }

    /// Lets the next `times` calls of `operation` fail with `error`.
    pub fn fail_next(&self, operation: Operation, error: &KinesisError, times: usize) {
        let mut state = self.state();
        let queue = state.failures.entry(operation).or_default();
        queue.extend(std::iter::repeat_n(error.clone(), times));
    }

    /// Rejects the next `times` records with this partition key, as a throttled shard does.
    pub fn reject_next(&self, partition_key: &str, times: u32) {
        self.state().rejections.insert(partition_key.to_owned(), times);
    }

    /// Makes every iterator given so far an expired one.
    pub fn expire_iterators(&self) {
        self.state().generation += 1;
    }

    /// Leaves the next iterator, or the continuation, and the children out of the next `times` answers and events.
    pub fn truncate_next(&self, times: u32) {
        self.state().truncations = times;
    }

    /// Answers, and pushes, at most this many records at once, whatever limit is asked for.
    pub fn set_page(&self, records: usize) {
        self.state().page = Some(records);
    }

    /// Lets `GetRecords` take this long.
    pub fn set_latency(&self, latency: Duration) {
        self.state().latency = latency;
    }

    /// Sets the service's clock (milliseconds since the Unix epoch); it stands still then.
    pub fn set_clock_ms(&self, now_ms: i64) {
        self.state().clock_ms = Some(now_ms);
    }

    /// All calls made, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// How often an operation was called.
    pub fn count(&self, operation: Operation) -> usize {
        self.state().calls.iter().filter(|call| call.operation == operation).count()
    }

    /// Lets a stream have no more consumers for fan-out than these.
    pub fn set_consumer_limit(&self, consumers: usize) {
        self.state().fan_out.consumer_limit = consumers;
    }

    /// Lets a consumer become active after so many looks at it.
    pub fn set_activation(&self, looks: u32) {
        self.state().fan_out.looks_until_active = looks;
    }

    /// Breaks every subscription that is open, as a lost connection does.
    pub fn break_subscriptions(&self) {
        self.state().fan_out.break_all();
        self.shared.changed.notify_waiters();
    }

    /// Lets every subscription that is open and every later one bring nothing any more, not even signs of life.
    pub fn silence_subscriptions(&self, is_silent: bool) {
        self.state().fan_out.is_silent = is_silent;
        self.shared.changed.notify_waiters();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state()
    }

    fn called(
        &self,
        operation: Operation,
        shard: Option<&ShardId>,
        at: Option<&ReadFrom>,
    ) -> Result<MutexGuard<'_, State>, KinesisError> {
        let mut state = self.state();
        state.calls.push(Call { operation, shard: shard.cloned(), at: at.cloned(), when: Instant::now() });
        match state.failures.get_mut(&operation).and_then(VecDeque::pop_front) {
            Some(error) => Err(error),
            None => Ok(state),
        }
    }
}

impl State {
    fn create(&mut self, stream: &str, shards: u32) {
        let first = self.next_sequence();
        let ranges = HashKeyRange::split(shards).into_iter().enumerate();
        let shards = ranges.map(|(i, range)| FakeShard::new(i, Vec::new(), range, first.clone()));
        self.streams.insert(stream.to_owned(), shards.collect());
    }

    pub(super) fn next_sequence(&mut self) -> SequenceNumber {
        self.sequence += 1;
        self.tip()
    }

    /// The last sequence number given.
    pub(super) fn tip(&self) -> SequenceNumber {
        SequenceNumber::from(49_000_000_000_000_000_000_000 + self.sequence)
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.clock_ms.unwrap_or_else(crate::now_ms)
    }

    /// As the service does, by its own clock.
    fn check_time(&self, at: &ReadFrom) -> Result<(), KinesisError> {
        match at {
            ReadFrom::AtTimestamp(ms) if *ms > self.now_ms() => {
                Err(refused("The timestampInMillis parameter cannot be greater than the currentTimestampInMillis."))
            }
            _ => Ok(()),
        }
    }

    fn shard(&mut self, stream: &str, shard: &ShardId) -> &mut FakeShard {
        self.find(stream, shard).unwrap_or_else(|_| panic!("no shard {shard} in stream {stream}"))
    }

    pub(super) fn find(&mut self, stream: &str, shard: &ShardId) -> Result<&mut FakeShard, KinesisError> {
        let found = self.stream(stream)?.iter_mut().find(|fake| fake.shard.id == *shard);
        found.ok_or_else(|| not_found(stream))
    }

    pub(super) fn stream(&mut self, stream: &str) -> Result<&mut Vec<FakeShard>, KinesisError> {
        self.streams.get_mut(stream).ok_or_else(|| not_found(stream))
    }

    fn reshard(&mut self, stream: &str, parents: &[ShardId], range: HashKeyRange) -> ShardId {
        let first = self.next_sequence();
        let number = self.streams.get(stream).map_or(0, Vec::len);
        let child = FakeShard::new(number, parents.to_vec(), range, first.clone());
        for parent in parents {
            let parent = self.shard(stream, parent);
            parent.shard.last.get_or_insert(first.clone());
            parent.children.push(child.as_child());
        }
        let id = child.shard.id.clone();
        self.streams.entry(stream.to_owned()).or_default().push(child);
        id
    }

    fn put(&mut self, stream: &str, entry: &PutEntry) -> Result<PutOutcome, KinesisError> {
        if let Some(left) = self.rejections.get_mut(&entry.partition_key).filter(|left| **left > 0) {
            *left -= 1;
            return Ok(PutOutcome::Rejected {
                code: "ProvisionedThroughputExceededException".to_owned(),
                message: "Rate exceeded".to_owned(),
            });
        }
        let (sequence, now) = (self.next_sequence(), self.now_ms());
        let hash = HashKey::of_partition_key(&entry.partition_key);
        let hash = entry.explicit_hash_key.unwrap_or(hash);
        let shards = self.stream(stream)?;
        let shard = shards.iter_mut().find(|shard| shard.takes(hash));
        let shard = shard.ok_or_else(|| not_found(stream))?;
        let (data, key) = (entry.data.clone(), entry.partition_key.clone());
        shard.push(data, key, sequence.clone(), now);
        Ok(PutOutcome::Accepted { shard: shard.shard.id.clone(), sequence })
    }
}

pub(super) fn not_found(stream: &str) -> KinesisError {
    KinesisError::StreamNotFound { stream: stream.to_owned(), region: "fake".to_owned() }
}

pub(super) fn refused(message: &str) -> KinesisError {
    KinesisError::InvalidArgument { message: message.to_owned() }
}

#[async_trait]
impl Kinesis for FakeKinesis {
    async fn list_shards(&self, stream: &str) -> Result<Vec<Shard>, KinesisError> {
        let mut state = self.called(Operation::ListShards, None, None)?;
        Ok(state.stream(stream)?.iter().map(|fake| fake.shard.clone()).collect())
    }

    async fn get_iterator(&self, stream: &str, shard: &ShardId, at: &ReadFrom) -> Result<String, KinesisError> {
        let mut state = self.called(Operation::GetIterator, Some(shard), Some(at))?;
        state.check_time(at)?;
        let index = state.find(stream, shard)?.open(at)?;
        Ok(format!("{}/{index}", state.generation))
    }

    async fn get_records(
        &self,
        stream: &str,
        shard: &ShardId,
        iterator: &str,
        limit: u32,
    ) -> Result<GetRecords, KinesisError> {
        let latency = self.called(Operation::GetRecords, Some(shard), None)?.latency;
        sleep(latency).await;
        let mut state = self.state();
        let parts = iterator.split_once('/');
        let Some((generation, index)) =
            parts.and_then(|(generation, index)| Some((generation.parse::<u64>().ok()?, index.parse::<usize>().ok()?)))
        else {
            return Err(refused("no iterator of this service"));
        };
        if generation != state.generation {
            return Err(KinesisError::ExpiredIterator);
        }
        let limit = state.page.unwrap_or(usize::MAX).min(limit as usize);
        let now = state.now_ms();
        let (mut answer, next) = state.find(stream, shard)?.read(stream, index, limit, now);
        if state.truncations > 0 {
            state.truncations -= 1;
            answer.children.clear();
        } else {
            answer.next = next.map(|index| format!("{generation}/{index}"));
        }
        Ok(answer)
    }

    async fn find_consumer(&self, stream: &str, name: &str) -> Result<Option<StreamConsumer>, KinesisError> {
        let mut state = self.called(Operation::FindConsumer, None, None)?;
        state.stream(stream)?;
        Ok(state.fan_out.find(stream, name))
    }

    async fn register_consumer(&self, stream: &str, name: &str) -> Result<StreamConsumer, KinesisError> {
        let mut state = self.called(Operation::RegisterConsumer, None, None)?;
        state.stream(stream)?;
        state.fan_out.register(stream, name)
    }

    async fn subscribe(
        &self,
        stream: &str,
        consumer_arn: &str,
        shard: &ShardId,
        at: &ReadFrom,
    ) -> Result<Box<dyn Subscription>, KinesisError> {
        let mut state = self.called(Operation::Subscribe, Some(shard), Some(at))?;
        state.check_time(at)?;
        let index = state.find(stream, shard)?.open(at)?;
        let ticket = state.fan_out.begin(stream, consumer_arn, shard)?;
        self.shared.changed.notify_waiters();
        Ok(Box::new(FakeSubscription::new(self.shared.clone(), stream, shard, ticket, index)))
    }

    async fn put_records(&self, stream: &str, entries: &[PutEntry]) -> Result<Vec<PutOutcome>, KinesisError> {
        let mut state = self.called(Operation::PutRecords, None, None)?;
        let bytes: usize = entries.iter().map(PutEntry::size).sum();
        if entries.is_empty() || entries.len() > 500 || bytes > 5 * 1024 * 1024 {
            return Err(refused("a call takes 1 to 500 records and at most 5 MiB"));
        }
        let outcomes = entries.iter().map(|entry| state.put(stream, entry)).collect();
        self.shared.changed.notify_waiters();
        outcomes
    }

    async fn create_stream(&self, stream: &str, shards: u32) -> Result<(), KinesisError> {
        let mut state = self.called(Operation::CreateStream, None, None)?;
        if state.streams.contains_key(stream) {
            return Err(KinesisError::InUse { message: format!("stream {stream} exists") });
        }
        state.create(stream, shards);
        Ok(())
    }

    async fn stream_origin(&self, stream: &str) -> Result<StreamOrigin, KinesisError> {
        self.called(Operation::StreamActive, None, None)?.stream(stream)?;
        Ok(StreamOrigin { account: "000000000000".to_owned(), created_s: 0 })
    }

    async fn stream_active(&self, stream: &str) -> Result<bool, KinesisError> {
        self.called(Operation::StreamActive, None, None)?.stream(stream).map(|_| true)
    }
}
