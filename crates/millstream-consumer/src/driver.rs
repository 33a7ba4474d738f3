//! The task that owns the coordinator: it brings events in and does the actions that come out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use millstream_kinesis::{
    Checkpoint, FanOutConsumer, HashKeyRange, InitialPosition, Kinesis, PollOptions, Shard, ShardCursor, ShardId,
    ShardReader,
};
use millstream_lease::{Action, Coordinator, Event, LeaseStore, execute};
use tokio::sync::mpsc::{Receiver, UnboundedSender};
use tokio::sync::{Notify, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::buffer::News;
use crate::config::{ConsumerConfig, Retrieval};
use crate::error::ConsumerError;
use crate::overview::{Asked, Overview};
use crate::reader;
use crate::shard_stream::{Held, ShardStream, Stored};
use crate::shared::Shared;

/// A shard that is read.
struct Reading {
    /// None: the consumer was paused before.
    reader: Option<AbortHandle>,
    /// What is stored of the lease; its end tells the shard's stream that the lease is gone.
    stored: watch::Sender<Stored>,
    /// Wakes the shard's stream.
    arrived: Arc<Notify>,
}

impl Reading {
    fn stop(&self) {
        if let Some(reader) = &self.reader {
            reader.abort();
        }
    }
}

/// Owns the coordinator; the only one who calls it.
pub(crate) struct Driver {
    kinesis: Arc<dyn Kinesis>,
    store: Arc<dyn LeaseStore>,
    shared: Arc<Shared>,
    stream: Arc<str>,
    fan_out: Option<Arc<FanOutConsumer>>,
    poll: PollOptions,
    initial: InitialPosition,
    worker: Arc<str>,
    coordinator: Coordinator,
    began: Instant,
    /// Operations on the store and on Kinesis under way; the coordinator has one a lease at a time.
    operations: JoinSet<Event>,
    readings: BTreeMap<ShardId, Reading>,
    /// Where each shard that is read is told of.
    streams: Option<UnboundedSender<ShardStream>>,
    pausing: CancellationToken,
    stopping: CancellationToken,
    done: bool,
}

impl Driver {
    pub(crate) fn new(
        kinesis: Arc<dyn Kinesis>,
        store: Arc<dyn LeaseStore>,
        shared: Arc<Shared>,
        config: &ConsumerConfig,
        pausing: CancellationToken,
        stopping: CancellationToken,
        streams: Option<UnboundedSender<ShardStream>>,
    ) -> Self {
        let stream: Arc<str> = config.stream.as_str().into();
        let fan_out = match &config.retrieval {
            Retrieval::Polling => None,
            Retrieval::FanOut { consumer } => Some(Arc::new(FanOutConsumer::new(stream.clone(), consumer))),
        };
        Self {
            kinesis,
            store,
            shared,
            stream,
            fan_out,
            poll: config.poll.clone(),
            initial: config.lease.initial,
            worker: config.lease.worker_id.as_str().into(),
            coordinator: Coordinator::new(config.lease.clone(), config.seed),
            began: Instant::now(),
            operations: JoinSet::new(),
            readings: BTreeMap::new(),
            streams,
            pausing,
            stopping,
            done: false,
        }
    }

    /// Runs until the shutdown is complete or an error makes going on pointless. `shards`: what the stream was just found
    /// to have, which spares the first listing; `asked`: who wants to see all leases.
    pub(crate) async fn run(mut self, shards: Vec<Shard>, mut asked: Receiver<Asked>) {
        let mut known = Some(shards);
        self.step(Event::Tick, &mut known);
        let (mut paused, mut stopped) = (false, false);
        while !self.done && self.shared.fatal().is_none() {
            let wake = self.began + Duration::from_millis(self.coordinator.next_wake(self.now_ms()));
            tokio::select! {
                // In this order, and not at random: the simulation tells a story twice alike.
                biased;
                Some(answer) = self.operations.join_next(), if !self.operations.is_empty() => match answer {
                    Ok(event) => self.step(event, &mut known),
                    Err(panic) => tracing::error!(%panic, "an operation on the lease table panicked"),
                },
                () = self.shared.changed.notified() => self.tell_news(&mut known),
                () = self.pausing.cancelled(), if !paused => {
                    paused = true;
                    self.stop_readers();
                }
                () = self.stopping.cancelled(), if !stopped => {
                    stopped = true;
                    self.step(Event::Shutdown, &mut known);
                }
                Some(asked) = asked.recv() => {
                    let status = self.shared.buffer().status();
                    // Nobody takes it where waiting for it has been given up.
                    let _ = asked.send(Overview::new(&self.coordinator, &self.worker, status));
                }
                () = tokio::time::sleep_until(wake) => self.step(Event::Tick, &mut known),
            }
        }
        self.stop_readers();
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn step(&mut self, event: Event, known: &mut Option<Vec<Shard>>) {
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            let written = match &event {
                Event::Checkpointed { key, .. } | Event::Prepared { key, .. } => Some(key.clone()),
                _ => None,
            };
            let actions = self.coordinator.step(event, self.now_ms());
            // Before the actions: the last checkpoint of a shard is followed by its end.
            if let Some(key) = written {
                self.tell_stored(&key);
            }
            for action in actions {
                match (action, known.take()) {
                    (Action::ListShards, Some(shards)) => events.push(Event::ShardsListed(shards)),
                    (action, untouched) => {
                        *known = untouched;
                        self.act(action);
                    }
                }
            }
        }
    }

    /// Tells the shard's stream of a checkpoint that is written.
    fn tell_stored(&self, key: &str) {
        if let (Some(reading), Some(lease)) = (self.readings.get(&ShardId::from(key)), self.coordinator.lease(key)) {
            reading.stored.send_replace(Stored::of(lease));
        }
    }

    fn tell_news(&mut self, known: &mut Option<Vec<Shard>>) {
        let (news, bytes) = {
            let mut buffer = self.shared.buffer();
            (buffer.take_news(), buffer.take_bytes())
        };
        for (shard, bytes) in bytes {
            self.step(Event::BytesProcessed { key: shard.as_str().to_owned(), bytes }, known);
        }
        for news in news {
            let key = |shard: ShardId| shard.as_str().to_owned();
            let event = match news {
                News::ReadToEnd(shard, children) => Event::ReaderEnded { key: key(shard), children },
                News::Processed(shard, checkpoint) => Event::Processed { key: key(shard), checkpoint },
                News::Prepared(shard, pending, state) => Event::Prepare { key: key(shard), pending, state },
                News::Drained(shard) => Event::Drained { key: key(shard) },
            };
            // A program that says itself how far it is waits for its checkpoint.
            let flush = match &event {
                Event::Processed { key, .. } if self.streams.is_some() => Some(key.clone()),
                _ => None,
            };
            self.step(event, known);
            if flush.is_some() {
                self.step(Event::Flush { key: flush }, known);
            }
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::StartReading { key, checkpoint, hash_range, latest_since_ms } => {
                // `LATEST` is the moment when the application began, whoever reads the shard, and however late.
                let initial = match (&checkpoint, latest_since_ms) {
                    (Checkpoint::Latest, Some(ms)) => InitialPosition::AtTimestamp(ms),
                    (Checkpoint::Latest, None) => InitialPosition::Latest,
                    _ => self.initial,
                };
                self.start_reading(&key, checkpoint, initial, hash_range);
            }
            Action::StopReading { key, drain } => self.stop_reading(&ShardId::from(key.as_str()), drain),
            Action::Done => self.done = true,
            Action::ListShards => {
                self.operations.spawn(list_shards(self.kinesis.clone(), self.stream.clone(), self.shared.clone()));
            }
            action => {
                self.operations.spawn(on_store(self.store.clone(), self.worker.clone(), action, self.shared.clone()));
            }
        }
    }

    fn start_reading(
        &mut self,
        key: &str,
        from: Checkpoint,
        initial: InitialPosition,
        hash_range: Option<HashKeyRange>,
    ) {
        let shard = ShardId::from(key);
        let (epoch, from) = self.shared.buffer().open(shard.clone(), from);
        tracing::info!(stream = %self.stream, %shard, %from, "reading begins");
        // The buffer may know more than the lease table, and so have news already.
        self.shared.changed.notify_one();
        let stored = self.coordinator.lease(key).map(Stored::of).unwrap_or_else(|| Stored::at(from.clone()));
        let (stored, arrived) = (watch::Sender::new(stored), Arc::new(Notify::new()));
        if let Some(streams) = &self.streams {
            let lease = Held { shared: self.shared.clone(), shard: shard.clone(), epoch, stored: stored.subscribe() };
            // Nobody takes it when the handle is gone: the driver ends soon.
            let _ = streams.send(ShardStream::new(lease, self.stream.clone(), from.clone(), arrived.clone()));
        }
        let reader = (!self.pausing.is_cancelled()).then(|| {
            let (kinesis, stream) = (self.kinesis.clone(), self.stream.clone());
            let cursor = ShardCursor::new(kinesis, stream, shard.clone(), hash_range, &from, initial);
            let reader = ShardReader::new(cursor, self.fan_out.clone(), self.poll.clone());
            let read = reader::read(reader, self.shared.clone(), shard.clone(), epoch, arrived.clone());
            tokio::spawn(read).abort_handle()
        });
        if let Some(before) = self.readings.insert(shard, Reading { reader, stored, arrived }) {
            before.stop();
        }
    }

    fn stop_reading(&mut self, shard: &ShardId, drain: bool) {
        tracing::info!(stream = %self.stream, %shard, drain, "reading ends");
        if drain {
            self.shared.buffer().drain(shard);
            if let Some(reading) = self.readings.get(shard) {
                reading.stop();
                reading.arrived.notify_one();
            }
            // The buffer may have nothing in flight, and so have news already.
            self.shared.changed.notify_one();
        } else {
            self.shared.buffer().close(shard);
            if let Some(reading) = self.readings.remove(shard) {
                reading.stop();
            }
        }
    }

    fn stop_readers(&mut self) {
        self.readings.values().for_each(Reading::stop);
    }
}

/// Does an action on the lease table. A table that is gone, or may not be used any more, ends the consumer.
async fn on_store(store: Arc<dyn LeaseStore>, worker: Arc<str>, action: Action, shared: Arc<Shared>) -> Event {
    // Every action that comes here is one of the store, and so has an answer.
    let Some(answer) = execute(&*store, &worker, &action).await else { return Event::Tick };
    if let Some(error) = answer.error.filter(|error| !error.is_retryable()) {
        shared.fail(ConsumerError::Store(error));
    }
    answer.event
}

/// Lists the stream's shards. A stream that is gone, or that may not be read any more, ends the consumer.
async fn list_shards(kinesis: Arc<dyn Kinesis>, stream: Arc<str>, shared: Arc<Shared>) -> Event {
    match kinesis.list_shards(&stream).await {
        Ok(shards) => Event::ShardsListed(shards),
        Err(error) => {
            tracing::warn!(%stream, %error, "the shards can't be listed");
            let reason = error.to_string();
            if !error.is_retryable() {
                shared.fail(ConsumerError::Kinesis(error));
            }
            Event::ListFailed { reason }
        }
    }
}
