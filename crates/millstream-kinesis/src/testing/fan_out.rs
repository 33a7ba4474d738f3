use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, timeout_at};

use super::fake::{Shared, State, not_found};
use crate::{KinesisError, Pushed, ShardId, StreamConsumer, Subscription};

/// As at AWS: how long a subscription lasts, and from when on it can be taken over.
const LIFETIME: Duration = Duration::from_secs(300);
const TAKEOVER: Duration = Duration::from_secs(5);
/// Without records, an event says that the subscription lives.
const HEARTBEAT: Duration = Duration::from_secs(5);
const ARN: &str = "arn:aws:kinesis:fake:consumer/";

/// The consumers, and the newest subscription of each for each shard.
#[derive(Debug)]
pub(super) struct FanOut {
    pub(super) consumer_limit: usize,
    pub(super) looks_until_active: u32,
    pub(super) is_silent: bool,
    /// By stream and name.
    consumers: HashMap<(String, String), Consumer>,
    /// As at AWS, a consumer that is made again has another ARN.
    made: u32,
    newest: HashMap<(String, ShardId), Ticket>,
    tickets: u64,
    /// Subscriptions up to this one are broken.
    broken: u64,
}

impl Default for FanOut {
    fn default() -> Self {
        FanOut {
            consumer_limit: 20,
            looks_until_active: 0,
            is_silent: false,
            consumers: HashMap::new(),
            made: 0,
            newest: HashMap::new(),
            tickets: 0,
            broken: 0,
        }
    }
}

#[derive(Debug)]
struct Consumer {
    arn: String,
    looks_until_active: u32,
}

/// Tells a subscription from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    number: u64,
    since: Instant,
}

impl FanOut {
    pub(super) fn find(&mut self, stream: &str, name: &str) -> Option<StreamConsumer> {
        let consumer = self.consumers.get_mut(&(stream.to_owned(), name.to_owned()))?;
        let is_active = consumer.looks_until_active == 0;
        consumer.looks_until_active = consumer.looks_until_active.saturating_sub(1);
        Some(StreamConsumer { arn: consumer.arn.clone(), is_active })
    }

    pub(super) fn register(&mut self, stream: &str, name: &str) -> Result<StreamConsumer, KinesisError> {
        let key = (stream.to_owned(), name.to_owned());
        if self.consumers.contains_key(&key) {
            return Err(in_use("the consumer exists"));
        }
        if self.consumers.keys().filter(|(of, _)| of == stream).count() >= self.consumer_limit {
            return Err(KinesisError::Throttled);
        }
        self.made += 1;
        let arn = format!("{ARN}{name}:{}", self.made);
        let consumer = Consumer { arn: arn.clone(), looks_until_active: self.looks_until_active };
        self.consumers.insert(key, consumer);
        Ok(StreamConsumer { arn, is_active: false })
    }

    /// Forgets a stream's consumers, and ends their subscriptions, as when it is deleted.
    pub(super) fn clear(&mut self, stream: &str) {
        let gone = self.consumers.extract_if(|(of, _), _| of == stream).map(|(_, consumer)| consumer.arn);
        let gone: Vec<String> = gone.collect();
        self.newest.retain(|(arn, _), _| !gone.contains(arn));
    }

    pub(super) fn begin(&mut self, stream: &str, arn: &str, shard: &ShardId) -> Result<Ticket, KinesisError> {
        let consumer = self.consumers.values().find(|consumer| consumer.arn == arn).ok_or_else(|| not_found(stream))?;
        if consumer.looks_until_active > 0 {
            return Err(in_use("the consumer is not active"));
        }
        let key = (arn.to_owned(), shard.clone());
        if self.newest.get(&key).is_some_and(|newest| newest.since.elapsed() < TAKEOVER) {
            return Err(in_use("another active subscription exists"));
        }
        self.tickets += 1;
        let ticket = Ticket { number: self.tickets, since: Instant::now() };
        self.newest.insert(key, ticket);
        Ok(ticket)
    }

    pub(super) fn break_all(&mut self) {
        self.broken = self.tickets;
    }

    /// Whether the subscription has ended, and how.
    fn end(&self, ticket: Ticket) -> Option<Result<(), KinesisError>> {
        let is_newest = self.newest.values().any(|newest| *newest == ticket);
        if ticket.number <= self.broken {
            Some(Err(KinesisError::Unreachable { endpoint: "fake".to_owned(), message: "connection lost".to_owned() }))
        } else if !is_newest {
            Some(Err(in_use("another subscription has taken over")))
        } else {
            (ticket.since.elapsed() >= LIFETIME).then_some(Ok(()))
        }
    }
}

fn in_use(message: &str) -> KinesisError {
    KinesisError::InUse { message: message.to_owned() }
}

/// A subscription to a shard of the fake.
pub(super) struct FakeSubscription {
    shared: Arc<Shared>,
    stream: String,
    shard: ShardId,
    ticket: Ticket,
    /// The first record that was not pushed.
    index: usize,
    is_ended: bool,
    heartbeat: Instant,
}

impl FakeSubscription {
    pub(super) fn new(shared: Arc<Shared>, stream: &str, shard: &ShardId, ticket: Ticket, index: usize) -> Self {
        let (stream, shard) = (stream.to_owned(), shard.clone());
        FakeSubscription { shared, stream, shard, ticket, index, is_ended: false, heartbeat: Instant::now() }
    }

    /// What can be told now.
    fn event(&mut self, state: &mut State) -> Result<Option<Pushed>, KinesisError> {
        let limit = state.page.unwrap_or(usize::MAX);
        let (now_ms, tip) = (state.now_ms(), state.tip());
        let (answer, next) = state.find(&self.stream, &self.shard)?.read(&self.stream, self.index, limit, now_ms);
        if answer.block.is_empty() && next.is_some() && Instant::now() < self.heartbeat {
            return Ok(None);
        }
        self.is_ended = next.is_none();
        self.index = next.unwrap_or(self.index);
        let last = answer.block.last().map(|last| last.sequence);
        let continuation = next.map(|_| last.unwrap_or(tip));
        let mut event = Pushed {
            block: answer.block,
            continuation,
            millis_behind: answer.millis_behind,
            children: answer.children,
        };
        if state.truncations > 0 {
            state.truncations -= 1;
            (event.continuation, event.children) = (None, Vec::new());
        }
        Ok(Some(event))
    }
}

#[async_trait]
impl Subscription for FakeSubscription {
    async fn next(&mut self) -> Result<Option<Pushed>, KinesisError> {
        let shared = self.shared.clone();
        while !self.is_ended {
            let changed = shared.changed.notified();
            let is_silent = {
                let mut state = shared.state();
                if let Some(end) = state.fan_out.end(self.ticket) {
                    self.is_ended = true;
                    return end.map(|()| None);
                }
                let is_silent = state.fan_out.is_silent;
                if !is_silent && let Some(event) = self.event(&mut state)? {
                    self.heartbeat = Instant::now() + HEARTBEAT;
                    return Ok(Some(event));
                }
                is_silent
            };
            let end = self.ticket.since + LIFETIME;
            let _ = timeout_at(if is_silent { end } else { end.min(self.heartbeat) }, changed).await;
        }
        Ok(None)
    }
}
