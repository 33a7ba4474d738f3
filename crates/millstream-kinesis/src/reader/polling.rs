use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::cursor::ShardCursor;
use super::pace::Pace;
use super::read::Read;
use crate::{ChildShard, GetRecords, KinesisError, RecordBlock};

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
    /// Batches are cut of what is read, at the multiples of this time since the Unix epoch: when everything is read, reads are
    /// timed so that one ends shortly before each cut, `idle_interval` apart at least.
    pub cut_every: Option<Duration>,
    /// After this many failures in a row the error is returned.
    pub max_failures: u32,
}

impl Default for PollOptions {
    fn default() -> Self {
        PollOptions {
            limit: 10_000,
            min_interval: Duration::from_millis(200),
            idle_interval: Duration::from_millis(200),
            cut_every: None,
            max_failures: 10,
        }
    }
}

/// Reads one shard by polling: gets and renews iterators, keeps the pace, takes aggregated records apart,
/// and leaves out what a checkpoint says is processed, exact to the sub-sequence number.
///
/// An expired iterator is replaced without losing or repeating a record. Throttling, service failures and an unreachable
/// service are retried with growing waits, a log line each, up to [`PollOptions::max_failures`] in a row.
pub struct PollingReader {
    cursor: ShardCursor,
    limit: u32,
    pace: Pace,
    iterator: Option<String>,
}

impl PollingReader {
    /// A reader of what follows. Makes no call yet.
    pub fn new(cursor: ShardCursor, options: &PollOptions) -> Self {
        let pace = Pace::new(options, &cursor.shard, Instant::now());
        PollingReader { cursor, limit: options.limit, pace, iterator: None }
    }

    /// How far the shard is read.
    pub(super) fn cursor(&self) -> &ShardCursor {
        &self.cursor
    }

    /// The most records of the reads that follow.
    pub(super) fn set_limit(&mut self, limit: u32) {
        self.limit = limit;
    }

    /// Gets the first iterator. After it, a reader from `Latest` misses no record. [`Self::next`] does it too.
    ///
    /// # Errors
    /// What is not retryable at once; the last error after too many failures in a row.
    pub async fn open(&mut self) -> Result<(), KinesisError> {
        while self.iterator.is_none() && self.cursor.end().is_none() {
            sleep_until(self.pace.next()).await;
            let asked_ms = crate::now_ms();
            let cursor = &mut self.cursor;
            let started = Instant::now();
            let answer = cursor.kinesis.get_iterator(&cursor.stream, &cursor.shard, cursor.place.from()).await;
            cursor.counts.get_iterator().add(started.elapsed(), answer.is_err());
            match answer {
                Ok(iterator) => {
                    self.iterator = Some(iterator);
                    cursor.place.opened(asked_ms);
                }
                Err(error) if cursor.place.step_back(&error) => {}
                Err(error) => {
                    let cause = cursor.cause_of(error).await;
                    self.failed(cause)?;
                }
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
            let cursor = &mut self.cursor;
            let Some(iterator) = &self.iterator else {
                let children = cursor.end().unwrap_or_default().to_vec();
                return Ok(Read::End { children });
            };
            sleep_until(self.pace.next()).await;
            let started = Instant::now();
            self.pace.started(started);
            let answer = cursor.kinesis.get_records(&cursor.stream, &cursor.shard, iterator, self.limit).await;
            cursor.counts.get_records().add(started.elapsed(), answer.is_err());
            let answer = match answer {
                Ok(mut answer) if answer.next.is_none() => {
                    let named = std::mem::take(&mut answer.children);
                    cursor.end_of(named, &answer.block).await.map(|end| (answer, end))
                }
                Ok(answer) => Ok((answer, None)),
                Err(error) => Err(error),
            };
            match answer {
                Ok((answer, end)) => {
                    let (block, millis_behind) = self.take(answer, end, started);
                    if !block.is_empty() || self.cursor.end().is_none() {
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

    /// Goes on behind what is lost, after an error that says so ([`KinesisError::is_data_loss`]).
    pub(super) fn skip_lost(&mut self) {
        self.iterator = None;
        self.cursor.skip_lost();
    }

    fn take(&mut self, answer: GetRecords, end: Option<Vec<ChildShard>>, started: Instant) -> (RecordBlock, i64) {
        let GetRecords { block: raw, next, millis_behind, .. } = answer;
        let behind = millis_behind > 0 || raw.len() >= self.limit as usize;
        self.pace.succeeded(started, Instant::now(), crate::now_ms(), behind);
        let block = self.cursor.take(&raw);
        self.cursor.ended(end);
        self.iterator = next;
        (block, millis_behind)
    }

    fn failed(&mut self, error: KinesisError) -> Result<(), KinesisError> {
        self.cursor.counts.failed(&error);
        if !error.is_retryable() {
            return Err(error);
        }
        let Some(delay) = self.pace.failed(Instant::now()) else {
            return Err(error);
        };
        tracing::warn!(
            stream = %self.cursor.stream, shard = %self.cursor.shard, %error, delay_ms = delay.as_millis(),
            "reading failed and is tried again"
        );
        Ok(())
    }
}
