//! Reading ahead for an engine that keeps its own offsets, such as Spark's Structured Streaming.

mod goal;
mod places;
mod scout;
mod taken;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use millstream_kinesis::{Checkpoint, InitialPosition, Kinesis, PollOptions, Shard, ShardId, ShardRange};
use millstream_lease::{CoordinatorConfig, Lease, LeaseStore, MemoryLeaseStore};
use tokio::time::{Instant, sleep};

use crate::buffer::CutLimits;
use crate::config::{ConsumerConfig, Retrieval};
use crate::consumer::Consumer;
use crate::error::ConsumerError;
use crate::status::ShardStatus;
use goal::Goal;
pub use places::Places;
use scout::Scout;
use taken::Gathered;
pub use taken::TakenRange;

/// Between two looks at what has come.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// The leases are in this process's memory: what changes there is taken up at once.
const SCAN_INTERVAL_MS: u64 = 100;
/// A shard that is further behind is far behind: to read it to its tip here takes several batches.
const FAR_MS: i64 = 5_000;
/// Shards that are looked at at a time.
const SCOUTS: usize = 32;

/// What is read ahead, and how.
#[derive(Clone, Debug)]
pub struct PrefetchConfig {
    /// Stream to read.
    pub stream: String,
    /// How records come.
    pub retrieval: Retrieval,
    /// How shards are polled, where they are.
    pub poll: PollOptions,
    /// Bytes of records held at most. Reading waits while it is reached.
    pub buffer_bytes: u32,
    /// Between two looks at the stream's shards.
    pub shard_sync_ms: u64,
}

/// How much [`Prefetcher::take`] may take, and how long.
#[derive(Clone, Debug)]
pub struct Take {
    /// Of all shards together.
    pub limits: CutLimits,
    /// The records are kept where they are not more bytes than these as rows; else their ranges alone.
    pub keep_bytes: u64,
    /// How long more is taken while the buffer fills as fast as it is emptied.
    pub gather: Duration,
    /// How long is waited for a first record before the goal of [`Prefetcher::stop_at`] is reached.
    pub wait: Duration,
    /// Where shards are far behind, their records are not read here: ends are looked for ahead. Not within limits, since
    /// nobody counts what lies between.
    pub looks_ahead: bool,
}

/// What was taken.
#[derive(Clone, Debug)]
pub struct Taken {
    /// One entry a shard that had records, in shard order.
    pub ranges: Vec<TakenRange>,
    /// Where each shard is then; all that a next [`Prefetcher`] needs.
    pub places: BTreeMap<ShardId, Checkpoint>,
    /// Nothing is left of what [`Prefetcher::stop_at`] asked for.
    pub is_at_goal: bool,
    /// The batch ends ahead of what was read: the next one is to be taken of a new [`Prefetcher`], which begins at `places`.
    pub is_ahead: bool,
}

/// Reads all shards of a stream ahead of an engine's batches, and says of which ranges the next batch is made.
///
/// It is a [`Consumer`] whose leases are in memory: they begin at the places of an offset, and say after each
/// [`Prefetcher::take`] what the next offset is. So shards are opened, ended and followed by their children as everywhere.
pub struct Prefetcher {
    kinesis: Arc<dyn Kinesis>,
    stream: String,
    poll: PollOptions,
    initial: InitialPosition,
    buffer_bytes: u64,
    consumer: Consumer,
    leases: MemoryLeaseStore,
    lost: Vec<ShardId>,
    /// The end of what was taken of each shard: the leases say it a moment later.
    reached: Mutex<BTreeMap<ShardId, Checkpoint>>,
    goal: Mutex<Option<Goal>>,
}

impl Prefetcher {
    /// Begins to read behind `places`.
    ///
    /// # Errors
    /// The stream can't be had: missing, refused, unreachable.
    pub async fn start(
        kinesis: Arc<dyn Kinesis>,
        config: PrefetchConfig,
        places: &Places,
    ) -> Result<Self, ConsumerError> {
        let shards = kinesis.list_shards(&config.stream).await.map_err(ConsumerError::Kinesis)?;
        let leases = MemoryLeaseStore::new();
        for lease in places.leases(&shards) {
            leases.create(&lease).await.map_err(ConsumerError::Store)?;
        }
        let mut lease = CoordinatorConfig::new("prefetcher", places.initial);
        lease.latest_since_ms = places.latest_since_ms;
        lease.scan_interval_ms = SCAN_INTERVAL_MS;
        lease.checkpoint_interval_ms = SCAN_INTERVAL_MS;
        lease.shard_sync_ms = config.shard_sync_ms;
        let consumer = ConsumerConfig {
            retrieval: config.retrieval,
            poll: config.poll.clone(),
            buffer_bytes: config.buffer_bytes,
            ..ConsumerConfig::new(config.stream.clone(), lease, 0)
        };
        Ok(Self {
            consumer: Consumer::start(kinesis.clone(), Arc::new(leases.clone()), consumer).await?,
            kinesis,
            stream: config.stream,
            poll: config.poll,
            initial: places.latest_since_ms.map_or(places.initial, InitialPosition::AtTimestamp),
            buffer_bytes: u64::from(config.buffer_bytes),
            leases,
            lost: places.lost(&shards),
            reached: Mutex::default(),
            goal: Mutex::default(),
        })
    }

    /// Shards that were not read to their end, and that the stream does not list any more.
    pub fn lost(&self) -> &[ShardId] {
        &self.lost
    }

    /// From now on, only what has arrived until then is taken, in milliseconds since the epoch; not a time to come.
    ///
    /// # Errors
    /// The stream's shards can't be listed.
    pub async fn stop_at(&self, until_ms: i64) -> Result<(), ConsumerError> {
        let shards = self.kinesis.list_shards(&self.stream).await.map_err(ConsumerError::Kinesis)?;
        self.consumer.stop_at(until_ms);
        *self.goal() = Some(Goal::new(until_ms, &shards, &self.consumer.status()));
        Ok(())
    }

    /// Takes what was read ahead. With a goal, it waits for a first record.
    ///
    /// # Errors
    /// Reading has failed for good.
    pub async fn take(&self, take: &Take) -> Result<Taken, ConsumerError> {
        let began = Instant::now();
        let mut gathered = Gathered::new(take.keep_bytes);
        loop {
            let is_at_goal = self.is_at_goal().await?;
            let cut = self.consumer.cut_within(gathered.rest_of(take.limits))?;
            let (is_empty, bytes) = (cut.inputs.is_empty(), gathered.add(cut.inputs));
            // The engine's own log says what is processed; the leases say where reading goes on.
            self.consumer.processed(cut.id);
            if take.looks_ahead && gathered.is_large() && self.is_far_behind() {
                return self.look_ahead(gathered).await;
            }
            let is_full = gathered.is_full(take.limits);
            let is_behind = bytes > self.buffer_bytes / 2 && began.elapsed() < take.gather;
            let is_waiting = gathered.is_empty() && is_at_goal == Some(false) && began.elapsed() < take.wait;
            if !is_full && (is_behind || is_waiting) {
                sleep(LOOK_EVERY).await;
                continue;
            }
            // What was looked at before a cut of nothing holds for the time of the cut.
            let is_at_goal = is_empty && is_at_goal == Some(true);
            let ranges = gathered.into_ranges();
            return Ok(Taken { places: self.places(&ranges).await?, ranges, is_at_goal, is_ahead: false });
        }
    }

    fn is_far_behind(&self) -> bool {
        self.consumer.status().iter().any(|line| line.millis_behind > FAR_MS)
    }

    /// Lets the batch end far ahead, in all shards where that is possible.
    async fn look_ahead(&self, mut gathered: Gathered) -> Result<Taken, ConsumerError> {
        let shards = self.kinesis.list_shards(&self.stream).await?;
        let until_ms = self.goal().as_ref().map(|goal| goal.until_ms);
        let open = self.consumer.status().into_iter().filter(|line| !line.ended && !line.is_past);
        let found: Vec<Option<ShardRange>> = stream::iter(open)
            .map(|line| self.far_range(line, &shards, until_ms))
            .buffer_unordered(SCOUTS)
            .try_collect()
            .await?;
        let found: Vec<ShardRange> = found.into_iter().flatten().collect();
        let is_ahead = !found.is_empty();
        found.into_iter().for_each(|range| gathered.extend(range));
        let ranges = gathered.into_ranges();
        Ok(Taken { places: self.places(&ranges).await?, ranges, is_at_goal: false, is_ahead })
    }

    async fn far_range(
        &self,
        line: ShardStatus,
        shards: &[Shard],
        until_ms: Option<i64>,
    ) -> Result<Option<ShardRange>, ConsumerError> {
        let listed = shards.iter().find(|listed| listed.id == line.shard);
        let scout = Scout {
            kinesis: self.kinesis.clone(),
            stream: line.stream.clone(),
            shard: line.shard.clone(),
            hash_range: listed.map(|listed| listed.hash_range),
            poll: self.poll.clone(),
            until_ms,
        };
        let found = scout.look(&line.cut, self.initial).await?;
        Ok(found.map(|(first, to)| ShardRange {
            stream: line.stream,
            shard: line.shard,
            from: line.cut,
            first,
            to,
            records: 0,
        }))
    }

    /// A line for each shard that is read.
    pub fn status(&self) -> Vec<ShardStatus> {
        self.consumer.status()
    }

    /// Whether all that was to be taken had been read before this call; none without a goal.
    async fn is_at_goal(&self) -> Result<Option<bool>, ConsumerError> {
        if self.goal().is_none() {
            return Ok(None);
        }
        let leases = self.scan().await?;
        Ok(self.goal().as_mut().map(|goal| goal.is_reached(&leases, &self.consumer.status())))
    }

    async fn places(&self, taken: &[TakenRange]) -> Result<BTreeMap<ShardId, Checkpoint>, ConsumerError> {
        let leases = self.scan().await?;
        let mut reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        reached.extend(taken.iter().map(|taken| (taken.range.shard.clone(), Checkpoint::At(taken.range.to.clone()))));
        reached.retain(|shard, _| leases.iter().any(|lease| lease.key == shard.as_str()));
        let place = |lease: Lease| {
            let at = reached.get(lease.key.as_str()).cloned().into_iter().chain([lease.checkpoint]).max();
            at.map(|at| (ShardId::from(lease.key), at))
        };
        Ok(leases.into_iter().filter_map(place).collect())
    }

    async fn scan(&self) -> Result<Vec<Lease>, ConsumerError> {
        self.leases.scan().await.map_err(ConsumerError::Store)
    }

    fn goal(&self) -> MutexGuard<'_, Option<Goal>> {
        self.goal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
