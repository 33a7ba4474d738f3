mod pace;
mod place;
mod range;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::{Instant, sleep_until};

use crate::kpl::deaggregate;
use crate::{
    Checkpoint, ChildShard, GetRecords, HashKeyRange, InitialPosition, Kinesis, KinesisError, RecordBlock, Shard,
    ShardId, ShardRange,
};
use pace::Pace;
use place::Place;
pub use range::{RangeRead, read_range};

/// How a shard is polled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollOptions {
    /// The most records of one read; Kinesis allows 10,000.
    pub limit: u32,
    /// From the start of a read to the start of the next one, when there is more to read.
    /// Kinesis allows five reads a second for each shard, shared by all its readers.
    pub min_interval: Duration,
    /// The same when everything is read; at least `min_interval`.
    pub idle_interval: Duration,
    /// After this many failures in a row the error is returned.
    pub max_failures: u32,
}

impl Default for PollOptions {
    fn default() -> Self {
        PollOptions {
            limit: 10_000,
            min_interval: Duration::from_millis(200),
            idle_interval: Duration::from_millis(200),
            max_failures: 10,
        }
    }
}

/// What a reader got.
#[derive(Debug, Clone)]
pub enum Read {
    /// The next user records in order; may be none.
    Records {
        /// The records.
        block: RecordBlock,
        /// How far behind the shard's end the reader is, in milliseconds.
        millis_behind: i64,
    },
    /// The shard is closed and all its records were read.
    End {
        /// The shards that follow it, as far as the service tells.
        children: Vec<ChildShard>,
    },
}

/// Reads one shard by polling: gets and renews iterators, keeps the pace, takes aggregated records apart,
/// and leaves out what a checkpoint says is processed, exact to the sub-sequence number.
///
/// An expired iterator is replaced without losing or repeating a record. Throttling, service failures and an unreachable
/// service are retried with growing waits, a log line each, up to [`PollOptions::max_failures`] in a row.
pub struct PollingReader {
    kinesis: Arc<dyn Kinesis>,
    stream: Arc<str>,
    shard: ShardId,
    hash_range: Option<HashKeyRange>,
    limit: u32,
    pace: Pace,
    place: Place,
    iterator: Option<String>,
    end: Option<Vec<ChildShard>>,
    dropped: u64,
}

impl PollingReader {
    /// A reader of what follows `from`. Makes no call yet.
    ///
    /// `initial` gives the time that a checkpoint `AtTimestamp` means. With `hash_range`, the shard's own, aggregates that
    /// hold records of other shards are left out and counted (see [`deaggregate`]).
    pub fn new(
        kinesis: Arc<dyn Kinesis>,
        stream: Arc<str>,
        shard: ShardId,
        hash_range: Option<HashKeyRange>,
        from: &Checkpoint,
        initial: InitialPosition,
        options: PollOptions,
    ) -> Self {
        PollingReader {
            kinesis,
            stream,
            shard,
            hash_range,
            limit: options.limit,
            pace: Pace::new(&options, Instant::now()),
            place: Place::new(from, initial),
            iterator: None,
            end: (*from == Checkpoint::ShardEnd).then(Vec::new),
            dropped: 0,
        }
    }

    /// A reader that begins with the first record of `range` and knows nothing of its end.
    fn again(
        kinesis: Arc<dyn Kinesis>,
        range: &ShardRange,
        hash_range: Option<HashKeyRange>,
        options: PollOptions,
    ) -> Self {
        let (stream, shard) = (range.stream.clone(), range.shard.clone());
        let from = Checkpoint::TrimHorizon;
        let reader = Self::new(kinesis, stream, shard, hash_range, &from, InitialPosition::TrimHorizon, options);
        PollingReader { place: Place::again(&range.first), ..reader }
    }

    /// Gets the first iterator. After it, a reader from `Latest` misses no record. [`Self::next`] does it too.
    ///
    /// # Errors
    /// What is not retryable at once; the last error after too many failures in a row.
    pub async fn open(&mut self) -> Result<(), KinesisError> {
        while self.iterator.is_none() && self.end.is_none() {
            sleep_until(self.pace.next()).await;
            let asked_ms = now_ms();
            let at = self.place.from();
            match self.kinesis.get_iterator(&self.stream, &self.shard, at).await {
                Ok(iterator) => {
                    self.iterator = Some(iterator);
                    self.place.opened(asked_ms);
                }
                Err(error) => self.failed(error)?,
            }
        }
        Ok(())
    }

    /// Waits until the next read may start, and reads. May be cancelled and called again: no record is lost.
    /// At the shard's end, every further call returns [`Read::End`].
    ///
    /// # Errors
    /// What is not retryable at once; the last error after too many failures in a row.
    pub async fn next(&mut self) -> Result<Read, KinesisError> {
        loop {
            self.open().await?;
            let Some(iterator) = &self.iterator else {
                let children = self.end.clone().unwrap_or_default();
                return Ok(Read::End { children });
            };
            sleep_until(self.pace.next()).await;
            let started = Instant::now();
            self.pace.started(started);
            let answer = self.kinesis.get_records(&self.stream, &self.shard, iterator, self.limit).await;
            let answer = match answer {
                Ok(answer) => self.with_children(answer).await,
                Err(error) => Err(error),
            };
            match answer {
                Ok(answer) => {
                    let (block, millis_behind) = self.take(answer, started);
                    if !block.is_empty() || self.end.is_none() {
                        return Ok(Read::Records { block, millis_behind });
                    }
                }
                Err(error) => {
                    if error == KinesisError::ExpiredIterator {
                        self.iterator = None;
                    }
                    self.failed(error)?;
                }
            }
        }
    }

    /// An answer without a next iterator should name the children (KCL's `DataRetrievalUtil` insists). If it does not,
    /// the list of shards decides: a truncated answer must never pass for the end of an open shard.
    async fn with_children(&self, answer: GetRecords) -> Result<GetRecords, KinesisError> {
        if answer.next.is_some() || !answer.children.is_empty() {
            return Ok(answer);
        }
        let shards = self.kinesis.list_shards(&self.stream).await?;
        let closed = |shard: &Shard| shard.id == self.shard && shard.is_closed();
        if !shards.iter().any(closed) {
            return Err(KinesisError::Service {
                code: "a malformed response".to_owned(),
                message: format!("no next iterator for shard {}, which is open", self.shard),
                transient: true,
            });
        }
        let children = shards.into_iter().filter(|shard| shard.parents.contains(&self.shard));
        let children = children.map(|Shard { id, parents, hash_range, .. }| ChildShard { id, parents, hash_range });
        Ok(GetRecords { children: children.collect(), ..answer })
    }

    /// How many user records were left out so far because their aggregates do not belong to the shard.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    fn take(&mut self, answer: GetRecords, started: Instant) -> (RecordBlock, i64) {
        let GetRecords { block: raw, next, millis_behind, children } = answer;
        let behind = millis_behind > 0 || raw.len() >= self.limit as usize;
        self.pace.succeeded(started, behind);
        let users = deaggregate(&raw, self.hash_range.as_ref());
        if users.dropped > 0 {
            self.dropped += users.dropped;
            tracing::warn!(
                stream = %self.stream, shard = %self.shard, records = users.dropped,
                "left out aggregated records that belong to another shard"
            );
        }
        let block = self.place.unknown(users.block);
        self.place.advance(&raw);
        if next.is_none() {
            self.end = Some(children);
        }
        self.iterator = next;
        (block, millis_behind)
    }

    fn failed(&mut self, error: KinesisError) -> Result<(), KinesisError> {
        if !error.is_retryable() {
            return Err(error);
        }
        let Some(delay) = self.pace.failed(Instant::now()) else {
            return Err(error);
        };
        tracing::warn!(
            stream = %self.stream, shard = %self.shard, %error, delay_ms = delay.as_millis(),
            "reading failed and is tried again"
        );
        Ok(())
    }
}

fn now_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
