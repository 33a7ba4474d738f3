use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};

use super::consumer::FanOutConsumer;
use super::cursor::ShardCursor;
use super::read::Read;
use crate::{ChildShard, KinesisError, Pushed, Subscription, backoff};

/// Kinesis takes one subscription a second for each shard of a consumer.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
/// A subscription can't be taken over within 5 s (SubscribeToShard in the Kinesis API reference).
const TAKEOVER: Duration = Duration::from_secs(5);
/// An event comes every few seconds, also without records.
const MAX_SILENCE: Duration = Duration::from_secs(30);
const MAX_FAILURES: u32 = 10;

/// Reads one shard by enhanced fan-out: the service pushes records as they arrive. Takes aggregated records apart, and leaves
/// out what a checkpoint says is processed, exact to the sub-sequence number.
///
/// A subscription ends after 5 minutes, or when it breaks; the next one begins after the last event. Each that fails is tried
/// again with growing waits, a log line each, up to 10 in a row. Where another worker takes the shard over, this one waits for
/// 5 s, in which it learns that its lease is gone. Where the consumer is gone, as with a stream that was made anew, it is
/// registered again. While nobody waits for [`Self::next`], nothing is read, and the service stops to send.
pub struct FanOutReader {
    cursor: ShardCursor,
    consumer: Arc<FanOutConsumer>,
    subscription: Option<Box<dyn Subscription>>,
    /// Whether the subscription has brought anything yet.
    has_begun: bool,
    not_before: Instant,
    /// In a row, since the last event.
    failures: u32,
}

impl FanOutReader {
    /// A reader of what follows. Makes no call yet.
    pub fn new(cursor: ShardCursor, consumer: Arc<FanOutConsumer>) -> Self {
        let not_before = Instant::now();
        FanOutReader { cursor, consumer, subscription: None, has_begun: false, not_before, failures: 0 }
    }

    /// How far the shard is read.
    pub(super) fn cursor(&self) -> &ShardCursor {
        &self.cursor
    }

    /// Whether no later call can succeed after this error, while polling may.
    pub(super) fn is_refused(&self, error: &KinesisError) -> bool {
        !error.is_data_loss() && (self.consumer.is_refused() || !error.is_retryable())
    }

    /// Goes on behind what is lost, after an error that says so ([`KinesisError::is_data_loss`]).
    pub(super) fn skip_lost(&mut self) {
        self.cursor.skip_lost();
    }

    /// Waits for the next event. May be cancelled and called again: no record is lost.
    /// At the shard's end, every further call returns [`Read::End`].
    ///
    /// # Errors
    /// What no retry can mend, such as a stream with all the consumers it may have, or lost records; the last error after too
    /// many failures in a row.
    pub async fn next(&mut self) -> Result<Read, KinesisError> {
        loop {
            if let Some(children) = self.cursor.end() {
                return Ok(Read::End { children: children.to_vec() });
            }
            match self.event().await {
                Ok(Some((event, end))) => {
                    (self.has_begun, self.failures) = (true, 0);
                    return Ok(self.take(event, end));
                }
                // The 5 minutes are over.
                Ok(None) if self.has_begun => self.subscription = None,
                Ok(None) => self.failed(unavailable("the subscription ended without an event"))?,
                Err(error) => self.failed(error)?,
            }
        }
    }

    /// The next event, and the shards that follow if it is the shard's last; none when the subscription has ended.
    async fn event(&mut self) -> Result<Option<(Pushed, Option<Vec<ChildShard>>)>, KinesisError> {
        let subscription = match &mut self.subscription {
            Some(subscription) => subscription,
            none => {
                self.has_begun = false;
                none.insert(subscribe(&mut self.cursor, &self.consumer, &mut self.not_before).await?)
            }
        };
        let Ok(event) = timeout(MAX_SILENCE, subscription.next()).await else {
            return Err(unavailable("a subscription without an event for 30 s"));
        };
        let Some(mut event) = event? else { return Ok(None) };
        if event.continuation.is_some() {
            return Ok(Some((event, None)));
        }
        let named = std::mem::take(&mut event.children);
        let end = self.cursor.end_of(named, &event.block).await?;
        Ok(Some((event, end)))
    }

    fn take(&mut self, event: Pushed, end: Option<Vec<ChildShard>>) -> Read {
        let Pushed { block: raw, continuation, millis_behind, .. } = event;
        let block = self.cursor.take(&raw);
        self.cursor.ended(end);
        match continuation {
            Some(sequence) if raw.is_empty() => self.cursor.pass(sequence),
            Some(_) => {}
            None => self.subscription = None,
        }
        Read::Records { block, millis_behind }
    }

    fn failed(&mut self, error: KinesisError) -> Result<(), KinesisError> {
        let was_subscribed = self.subscription.take().is_some();
        self.cursor.counts.failed(&error);
        let is_in_use = matches!(error, KinesisError::InUse { .. });
        // The consumer is looked up anew.
        let is_gone = matches!(error, KinesisError::StreamNotFound { .. });
        self.failures += 1;
        let may_succeed = error.is_retryable() || is_in_use || is_gone || self.cursor.place.step_back(&error);
        let is_final = self.consumer.is_refused() || !may_succeed;
        if is_final || self.failures >= MAX_FAILURES {
            return Err(error);
        }
        let delay = match is_in_use && was_subscribed {
            true => TAKEOVER,
            false => backoff::delay(self.failures, FIRST_BACKOFF, TAKEOVER),
        };
        self.not_before = Instant::now() + delay;
        tracing::warn!(
            stream = %self.cursor.stream, shard = %self.cursor.shard, %error, delay_ms = delay.as_millis(),
            "a subscription failed and is tried again"
        );
        Ok(())
    }
}

async fn subscribe(
    cursor: &mut ShardCursor,
    consumer: &FanOutConsumer,
    not_before: &mut Instant,
) -> Result<Box<dyn Subscription>, KinesisError> {
    let arn = consumer.arn(&*cursor.kinesis).await?;
    sleep_until(*not_before).await;
    *not_before = Instant::now() + FIRST_BACKOFF;
    let asked_ms = crate::now_ms();
    let place = cursor.place.from();
    match cursor.kinesis.subscribe(&cursor.stream, &arn, &cursor.shard, place).await {
        Ok(subscription) => {
            cursor.place.opened(asked_ms);
            Ok(subscription)
        }
        Err(error) => {
            if matches!(error, KinesisError::StreamNotFound { .. }) {
                consumer.forget(&arn);
            }
            Err(cursor.cause_of(error).await)
        }
    }
}

fn unavailable(message: &str) -> KinesisError {
    KinesisError::Service { code: "nothing".to_owned(), message: message.to_owned(), transient: true }
}
