//! One subscription: from the start to the fifth minute, the end of the shard, or whatever ends it before.

use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::api_error::ApiError;
use crate::event_stream;
use crate::format::Format;
use crate::kinesis::Kinesis;
use crate::kinesis::answer::Writer;
use crate::kinesis::consumer::{consumers_of, no_such_consumer};
use crate::kinesis::iterator::Place;
use crate::kinesis::lifecycle::Status;
use crate::kinesis::page::{Limits, PageEnd, write_page};
use crate::kinesis::region::ACCOUNT;
use crate::kinesis::sequence::Sequence;
use crate::kinesis::shard::Shard;
use crate::kinesis::stream::{Stream, shard_id};

/// How long a subscription lasts, in milliseconds (SubscribeToShard in the Kinesis API reference).
const LIFETIME_MS: u64 = 300_000;
/// After so long without records, in milliseconds, an event says how far the consumer is. KCL takes a subscription for
/// dead when nothing comes for 35 s (`ShardConsumer.MAX_TIME_BETWEEN_REQUEST_RESPONSE`).
const IDLE_MS: u64 = 5000;
/// How soon to look again for the end of a shard that has closed while records are on their way to the disk.
const CLOSING_MS: u64 = 5;
/// What an event holds at most. A client that does not keep up is sent as many events as fit into its buffers, and
/// [`EVENTS_AHEAD`] more are made.
const LIMITS: Limits = Limits { records: 10_000, bytes: 1024 * 1024 };
/// Events that wait to be sent.
pub(crate) const EVENTS_AHEAD: usize = 2;

/// What a consumer has subscribed to.
pub(crate) struct Subscription {
    pub(crate) kinesis: Arc<Kinesis>,
    pub(crate) stream: Arc<Stream>,
    pub(crate) shard: Arc<Shard>,
    pub(crate) consumer_arn: String,
    pub(crate) format: Format,
    /// Where the next event begins.
    pub(crate) place: Place,
    pub(crate) taken_over: oneshot::Receiver<()>,
}

/// Why a subscription ends: with an exception, or without.
type End = Option<ApiError>;

impl Subscription {
    /// Sends events until the end. `events` is dropped last: a connection waits for it when the service stops.
    pub(crate) async fn run(events: mpsc::Sender<Bytes>, mut subscription: Self) {
        let Err(end) = subscription.push(&events).await;
        if let Some(error) = end {
            // A client that is gone need not know.
            let _ = events.send(event_stream::exception(&error, subscription.format)).await;
        }
    }

    async fn push(&mut self, events: &mpsc::Sender<Bytes>) -> Result<std::convert::Infallible, End> {
        let clock = self.stream.lifecycle().clock().clone();
        let mut idle_ms = clock.now_ms();
        let end_ms = idle_ms + LIFETIME_MS;
        // Before the first record: the sequence number of the record before, as far as it is known.
        let mut continuation = self.shard.sequence(self.place.index.saturating_sub(1), idle_ms);
        self.send(events, event_stream::initial_response(self.format).map_err(Some)?, end_ms).await?;
        let kinesis = Arc::clone(&self.kinesis);
        let mut pace = kinesis.limits().pace();
        loop {
            // Listened to before anything is looked at: what changes in between is not missed.
            let mut changed = pin!(kinesis.subscriptions().changed.notified());
            changed.as_mut().enable();
            let shard = Arc::clone(&self.shard);
            let mut appended = pin!(shard.changed().notified());
            appended.as_mut().enable();

            let now_ms = clock.now_ms();
            self.check(now_ms, end_ms)?;
            let closing = shard.closed_ms().is_some();
            let rest_ms = pace.as_ref().and_then(|pace| pace.rests_until(now_ms));
            if rest_ms.is_none() && (now_ms >= idle_ms || closing || !shard.is_caught_up(self.place)) {
                let (event, page) = self.event(continuation).await.map_err(Some)?;
                self.place = page.next;
                continuation = page.last.unwrap_or(continuation);
                if page.last.is_some() || page.ended || now_ms >= idle_ms {
                    self.send(events, event, end_ms).await?;
                    let sent_ms = clock.now_ms();
                    idle_ms = sent_ms + IDLE_MS;
                    if let Some(pace) = &mut pace {
                        pace.sent(page.bytes, sent_ms);
                    }
                }
                if page.ended {
                    return Err(None);
                }
                if !page.caught_up {
                    continue;
                }
            }
            let next_ms = match rest_ms {
                Some(rest_ms) => rest_ms.min(end_ms),
                None if closing => now_ms + CLOSING_MS,
                None => idle_ms.min(end_ms),
            };
            tokio::select! {
                () = appended => {}
                () = changed => {}
                () = clock.until(next_ms) => {}
                () = events.closed() => return Err(None),
                taken_over = &mut self.taken_over => return Err(self.superseded(taken_over)),
            }
        }
    }

    /// Waits for room for an event. Takes no longer than the subscription lasts.
    async fn send(&mut self, events: &mpsc::Sender<Bytes>, event: Bytes, end_ms: u64) -> Result<(), End> {
        let clock = self.stream.lifecycle().clock().clone();
        tokio::select! {
            sent = events.send(event) => sent.map_err(|_| None),
            () = clock.until(end_ms) => Err(None),
            taken_over = &mut self.taken_over => Err(self.superseded(taken_over)),
        }
    }

    /// The records from here on; reads them beside the connections if that takes long.
    async fn event(&self, continuation: Sequence) -> Result<(Bytes, PageEnd), ApiError> {
        let (stream, shard) = (Arc::clone(&self.stream), Arc::clone(&self.shard));
        let (format, place) = (self.format, self.place);
        let write = move || {
            let mut writer = Writer::new(format, 1024);
            writer.begin_map();
            let page = write_page(&mut writer, (&stream, &shard), place, LIMITS)?;
            if !page.ended {
                writer.key("ContinuationSequenceNumber");
                writer.sequence(page.last.unwrap_or(continuation));
            }
            writer.end_map();
            Ok((event_stream::event("SubscribeToShardEvent", format, &writer.into_bytes()), page))
        };
        if self.shard.is_near(place) { write() } else { crate::kinesis::ops::blocking(write).await }
    }

    /// Whether it is time to end, or the stream or the consumer is no longer there.
    fn check(&self, now_ms: u64, end_ms: u64) -> Result<(), End> {
        if now_ms >= end_ms || self.kinesis.subscriptions().is_stopped() {
            return Err(None);
        }
        let settings = self.stream.settings();
        let found = self.kinesis.stream(&settings.region, self.stream.name()).map_err(Some)?;
        if found.settings().id != settings.id || !found.is_usable() {
            let message = format!("Stream {} under account {ACCOUNT} not found.", self.stream.name());
            return Err(Some(ApiError::not_found(message)));
        }
        let lifecycle = found.lifecycle();
        let active = consumers_of(&found)
            .iter()
            .any(|consumer| consumer.status(lifecycle) == Status::Active && consumer.arn(&found) == self.consumer_arn);
        if active { Ok(()) } else { Err(Some(no_such_consumer(&self.consumer_arn))) }
    }

    /// Another subscription has begun in place of this one; if there is none, the service is ending.
    fn superseded(&self, taken_over: Result<(), oneshot::error::RecvError>) -> End {
        taken_over.ok().map(|()| {
            let (stream, shard) = (self.stream.name(), shard_id(self.shard.number()));
            ApiError::in_use(format!(
                "Another subscription has taken over for consumer {} on shard {shard} of stream {stream} under account \
                 {ACCOUNT}.",
                self.consumer_arn
            ))
        })
    }
}
