use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use crate::{Kinesis, KinesisError, PutEntry, PutOutcome, ShardId, backoff};

/// The limits of one `PutRecords` call.
const MAX_RECORDS: usize = 500;
const MAX_BYTES: usize = 5 * 1024 * 1024;

/// How a producer retries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProducerOptions {
    /// The most calls in a row that no record comes through with.
    pub max_attempts: u32,
    /// The wait after the first of them; it doubles.
    pub first_backoff: Duration,
    /// The longest wait.
    pub max_backoff: Duration,
}

impl Default for ProducerOptions {
    fn default() -> Self {
        ProducerOptions {
            max_attempts: 10,
            first_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(5),
        }
    }
}

/// What [`Producer::put_all`] has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PutSummary {
    /// Records accepted.
    pub records: u64,
    /// Their size, in bytes of data and partition keys.
    pub bytes: u64,
    /// Calls made.
    pub calls: u64,
    /// Records sent again because they were rejected or a call failed.
    pub retried: u64,
}

/// Why not all records were put.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProducerError {
    /// A call failed for good, or too often.
    #[error("putting records stopped after {} were accepted: {cause}", done.records)]
    Call {
        /// What was put before.
        done: PutSummary,
        /// Why.
        cause: KinesisError,
    },
    /// The service rejected the same records too often.
    #[error(
        "putting records stopped after {} were accepted: {left} were rejected {attempts} times in a row, the first with {code}: {message}; put less at a time or add shards",
        done.records
    )]
    Rejected {
        /// What was put before.
        done: PutSummary,
        /// Records of the current batch not accepted.
        left: usize,
        /// How often they were sent.
        attempts: u32,
        /// The AWS error code of the first one.
        code: String,
        /// What the service said about it.
        message: String,
    },
}

/// Puts any number of records, in calls as large as allowed, and retries those that were not accepted.
///
/// A batch is sent when the one before is accepted as a whole, so that records of one partition key stay in order across
/// calls. Within one call Kinesis itself keeps no order: when it rejects a record and accepts a later one of the same key,
/// the first is put after it (`PutRecords` in the Kinesis API reference). A call whose answer got lost is sent again: its
/// records can be there twice.
#[derive(Clone)]
pub struct Producer {
    kinesis: Arc<dyn Kinesis>,
    stream: Arc<str>,
    options: ProducerOptions,
}

impl Producer {
    /// A producer for a stream.
    pub fn new(kinesis: Arc<dyn Kinesis>, stream: impl Into<Arc<str>>) -> Self {
        Producer { kinesis, stream: stream.into(), options: ProducerOptions::default() }
    }

    /// The same with other options.
    pub fn with_options(self, options: ProducerOptions) -> Self {
        Producer { options, ..self }
    }

    /// Puts all records, in order.
    ///
    /// # Errors
    /// See [`ProducerError`]; the records accepted until then stay in the stream.
    pub async fn put_all(&self, entries: Vec<PutEntry>) -> Result<PutSummary, ProducerError> {
        self.put_all_placed(entries, |_, _| ()).await
    }

    /// [`Self::put_all`] that tells, of each record that is accepted, its index and the shard it went to.
    ///
    /// # Errors
    /// As [`Self::put_all`].
    pub async fn put_all_placed(
        &self,
        entries: Vec<PutEntry>,
        mut placed: impl FnMut(usize, &ShardId) + Send,
    ) -> Result<PutSummary, ProducerError> {
        let mut done = PutSummary::default();
        let mut first = 0;
        while first < entries.len() {
            let batch = &entries[first..first + batch_len(&entries[first..])];
            self.put_batch(first, batch.to_vec(), &mut done, &mut placed).await?;
            first += batch.len();
        }
        Ok(done)
    }

    async fn put_batch(
        &self,
        first: usize,
        mut batch: Vec<PutEntry>,
        done: &mut PutSummary,
        placed: &mut (impl FnMut(usize, &ShardId) + Send),
    ) -> Result<(), ProducerError> {
        let mut indices: Vec<usize> = (first..first + batch.len()).collect();
        let mut attempts = 0;
        while !batch.is_empty() {
            let sent = batch.len();
            done.calls += 1;
            let error = match self.kinesis.put_records(&self.stream, &batch).await {
                Ok(outcomes) => {
                    let rejected = keep_rejected(&mut batch, &mut indices, outcomes, done, placed);
                    if batch.len() < sent {
                        attempts = 0;
                    }
                    rejected.map(|(code, message)| ProducerError::Rejected {
                        done: *done,
                        left: batch.len(),
                        attempts: attempts + 1,
                        code,
                        message,
                    })
                }
                Err(cause) if cause.is_retryable() => Some(ProducerError::Call { done: *done, cause }),
                Err(cause) => return Err(ProducerError::Call { done: *done, cause }),
            };
            let Some(error) = error else { continue };
            attempts += 1;
            if attempts >= self.options.max_attempts {
                return Err(error);
            }
            done.retried += batch.len() as u64;
            let delay = backoff::delay(attempts, self.options.first_backoff, self.options.max_backoff);
            tracing::debug!(
                stream = %self.stream, records = batch.len(), delay_ms = delay.as_millis(), %error,
                "records are put again"
            );
            sleep(delay).await;
        }
        Ok(())
    }
}

/// How many of the entries fit in one call; at least one: an entry that is too large is for the service to refuse.
fn batch_len(entries: &[PutEntry]) -> usize {
    let mut bytes = 0;
    let fits = entries.iter().take(MAX_RECORDS).take_while(|entry| {
        bytes += entry.size();
        bytes <= MAX_BYTES
    });
    fits.count().max(1)
}

/// Leaves in `batch`, and in `indices`, what was rejected, counts and tells the others, and returns the first reason.
fn keep_rejected(
    batch: &mut Vec<PutEntry>,
    indices: &mut Vec<usize>,
    outcomes: Vec<PutOutcome>,
    done: &mut PutSummary,
    placed: &mut impl FnMut(usize, &ShardId),
) -> Option<(String, String)> {
    let mut reason = None;
    let mut outcomes = outcomes.into_iter();
    let (mut left, mut left_indices) = (Vec::new(), Vec::new());
    for (entry, index) in batch.drain(..).zip(indices.drain(..)) {
        match outcomes.next() {
            Some(PutOutcome::Accepted { shard, .. }) => {
                done.records += 1;
                done.bytes += entry.size() as u64;
                placed(index, &shard);
                continue;
            }
            Some(PutOutcome::Rejected { code, message }) => {
                reason.get_or_insert((code, message));
            }
            None => {}
        }
        left.push(entry);
        left_indices.push(index);
    }
    (*batch, *indices) = (left, left_indices);
    reason
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::ReadFrom;
    use crate::testing::{FakeKinesis, Operation};

    const STREAM: &str = "words";

    fn producer(fake: &Arc<FakeKinesis>) -> Producer {
        Producer::new(fake.clone(), STREAM)
    }

    async fn stored(fake: &FakeKinesis) -> Vec<String> {
        let shard = ShardId::from("shardId-000000000000");
        let at = ReadFrom::TrimHorizon;
        let iterator = fake.get_iterator(STREAM, &shard, &at).await.unwrap();
        let answer = fake.get_records(STREAM, &shard, &iterator, 10_000).await.unwrap();
        let words = answer.block.data().iter().map(|word| String::from_utf8_lossy(word).into());
        words.collect()
    }

    #[tokio::test(start_paused = true)]
    async fn many_records_go_in_full_calls_and_in_order() {
        let fake = FakeKinesis::with_stream(STREAM, 1);
        let words: Vec<String> = (0..1_201).map(|word| word.to_string()).collect();
        let entries = words.iter().map(|word| PutEntry::new("k", word.clone())).collect();
        let mut seen = Vec::new();
        let done = producer(&fake).put_all_placed(entries, |index, _| seen.push(index)).await.unwrap();
        assert_eq!((done.records, done.calls, done.retried), (1_201, 3, 0));
        assert_eq!(seen, (0..1_201).collect::<Vec<_>>());
        assert_eq!(stored(&fake).await, words);
    }

    #[tokio::test(start_paused = true)]
    async fn calls_keep_below_five_mebibytes() {
        let fake = FakeKinesis::with_stream(STREAM, 1);
        let entries = vec![PutEntry::new("k", vec![0; 1_000_000]); 12];
        let done = producer(&fake).put_all(entries).await.unwrap();
        assert_eq!((done.records, done.calls), (12, 3));
        assert_eq!(done.bytes, 12 * 1_000_001);
    }

    #[tokio::test(start_paused = true)]
    async fn only_rejected_records_are_put_again_and_no_later_batch_overtakes_them() {
        let fake = FakeKinesis::with_stream(STREAM, 1);
        let mut entries = vec![PutEntry::new("a", "a1"), PutEntry::new("slow", "s1")];
        entries.resize(500, PutEntry::new("a", "fill"));
        entries.push(PutEntry::new("slow", "s2"));
        fake.reject_next("slow", 3);
        let done = producer(&fake).put_all(entries).await.unwrap();
        assert_eq!((done.records, done.calls, done.retried), (501, 5, 3));
        let stored = stored(&fake).await;
        assert_eq!(stored.len(), 501);
        assert_eq!(stored[499..], ["s1", "s2"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_call_is_made_again() {
        let fake = FakeKinesis::with_stream(STREAM, 1);
        fake.fail_next(Operation::PutRecords, &KinesisError::Throttled, 2);
        let done = producer(&fake).put_all(vec![PutEntry::new("k", "word")]).await.unwrap();
        assert_eq!((done.records, done.calls), (1, 3));
        assert_eq!(stored(&fake).await, ["word"]);
    }

    #[tokio::test(start_paused = true)]
    async fn it_gives_up_after_enough_attempts_and_says_how_far_it_came() {
        let fake = FakeKinesis::with_stream(STREAM, 1);
        fake.reject_next("slow", u32::MAX);
        let entries = vec![PutEntry::new("a", "a1"), PutEntry::new("slow", "s1")];
        let error = producer(&fake).put_all(entries).await.unwrap_err();
        assert_eq!(fake.count(Operation::PutRecords), 10);
        assert!(matches!(error, ProducerError::Rejected { left: 1, done, .. } if done.records == 1));
        assert!(error.to_string().contains("ProvisionedThroughputExceededException"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_no_retry_can_mend_is_not_retried() {
        let fake = FakeKinesis::with_stream("other", 1);
        let error = producer(&fake).put_all(vec![PutEntry::new("k", "word")]).await.unwrap_err();
        let missing = matches!(error, ProducerError::Call { cause: KinesisError::StreamNotFound { .. }, .. });
        assert!(missing);
        assert_eq!(fake.count(Operation::PutRecords), 1);
    }
}
