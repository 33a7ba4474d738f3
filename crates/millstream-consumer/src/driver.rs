//! The task that owns the coordinator: it brings events in and does the actions that come out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use millstream_kinesis::{
    Checkpoint, FanOutConsumer, HashKeyRange, InitialPosition, Kinesis, PollOptions, Shard, ShardCursor, ShardId,
    ShardReader,
};
use millstream_lease::{Action, Coordinator, Event, Lease, LeaseStore, execute, split_key};
use tokio::sync::mpsc::{Receiver, UnboundedSender};
use tokio::sync::{Notify, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::buffer::{LeaseKey, News};
use crate::config::{ConsumerConfig, Retrieval, Streams};
use crate::error::ConsumerError;
use crate::overview::{Asked, Overview};
use crate::reader;
use crate::shard_stream::{Held, ShardStream, Stored};
use crate::shared::Shared;
use crate::streams::{self, Found, Starts, stream_name};

/// A shard that is read, until this is dropped.
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

impl Drop for Reading {
    /// Also where the driver is ended from outside: a task goes on when nobody has its handle any more.
    fn drop(&mut self) {
        self.stop();
    }
}

/// Owns the coordinator; the only one who calls it.
pub(crate) struct Driver {
    kinesis: Arc<dyn Kinesis>,
    store: Arc<dyn LeaseStore>,
    shared: Arc<Shared>,
    /// The stream's name; none: several are read, and leases name theirs.
    only: Option<Arc<str>>,
    retrieval: Retrieval,
    /// By stream, where records are pushed.
    fan_out: BTreeMap<Arc<str>, Arc<FanOutConsumer>>,
    poll: PollOptions,
    fail_on_data_loss: bool,
    worker: Arc<str>,
    coordinator: Coordinator,
    began: Instant,
    /// Operations on the store and on Kinesis under way; the coordinator has one a lease at a time.
    operations: JoinSet<Event>,
    readings: BTreeMap<LeaseKey, Reading>,
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
        Self {
            kinesis,
            store,
            shared,
            only: match &config.streams {
                Streams::One(stream) => Some(stream.as_str().into()),
                Streams::Several(_) => None,
            },
            retrieval: config.retrieval.clone(),
            fan_out: BTreeMap::new(),
            poll: config.poll.clone(),
            fail_on_data_loss: config.fail_on_data_loss,
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

    /// Runs until the shutdown is complete or an error makes going on pointless. `found`: what is read, and what was just found
    /// there; `asked`: who wants to see all leases.
    pub(crate) async fn run(mut self, found: Found, mut asked: Receiver<Asked>) {
        let mut known = found.shards;
        let mut changes = None;
        let first = found.several.map_or(Event::Tick, |several| {
            changes = Some(several.changes);
            Event::StreamsChanged(several.starts)
        });
        self.step(first, &mut known);
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
                change = next_change(&mut changes) => match change {
                    Some(starts) => self.step(Event::StreamsChanged(starts), &mut known),
                    None => changes = None,
                },
                () = self.pausing.cancelled(), if !paused => {
                    paused = true;
                    self.stop_readers();
                }
                () = self.stopping.cancelled(), if !stopped => {
                    stopped = true;
                    self.step(Event::Shutdown, &mut known);
                }
                Some(asked) = asked.recv() => {
                    // Nobody takes it where waiting for it has been given up.
                    let _ = asked.send(Overview::new(&self.coordinator, &self.worker, &self.shared));
                }
                () = tokio::time::sleep_until(wake) => self.step(Event::Tick, &mut known),
            }
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn step(&mut self, event: Event, known: &mut BTreeMap<String, Vec<Shard>>) {
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            if let Event::Scanned(leases) = &event
                && let Some(error) = self.other_layout(leases)
            {
                self.shared.fail(error);
                return;
            }
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
                match action {
                    Action::ListShards { stream } if known.contains_key(&stream) => {
                        let shards = known.remove(&stream).unwrap_or_default();
                        events.push(Event::ShardsListed { stream, shards });
                    }
                    action => self.act(action),
                }
            }
        }
    }

    /// What is wrong with a table whose leases are called otherwise than this worker calls them: it would read everything once
    /// more.
    fn other_layout(&self, leases: &[Lease]) -> Option<ConsumerError> {
        let is_other = |lease: &&Lease| lease.stream().is_empty() != self.only.is_some();
        let lease = leases.iter().filter(|lease| !lease.is_ended()).find(is_other)?.key.clone();
        let (one, several) = ("one stream", "several streams");
        let (found, wanted) = if self.only.is_some() { (several, one) } else { (one, several) };
        Some(ConsumerError::OtherLayout { lease, found, wanted })
    }

    /// Tells the shard's stream of a checkpoint that is written.
    fn tell_stored(&self, key: &str) {
        if let (Some(reading), Some(lease)) = (self.readings.get(key), self.coordinator.lease(key)) {
            reading.stored.send_replace(Stored::of(lease));
        }
    }

    fn tell_news(&mut self, known: &mut BTreeMap<String, Vec<Shard>>) {
        let (news, bytes) = {
            let mut buffer = self.shared.buffer();
            (buffer.take_news(), buffer.take_bytes())
        };
        for (key, bytes) in bytes {
            self.step(Event::BytesProcessed { key: key.to_string(), bytes }, known);
        }
        for news in news {
            let event = match news {
                News::ReadToEnd(key, children) => Event::ReaderEnded { key: key.to_string(), children },
                News::Processed(key, checkpoint) => Event::Processed { key: key.to_string(), checkpoint },
                News::Prepared(key, pending, state) => Event::Prepare { key: key.to_string(), pending, state },
                News::Drained(key) => Event::Drained { key: key.to_string() },
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
            Action::StartReading { key, checkpoint, initial, hash_range } => {
                self.start_reading(&key.into(), checkpoint, initial, hash_range);
            }
            Action::StopReading { key, drain } => self.stop_reading(&key.into(), drain),
            Action::Done => self.done = true,
            Action::ListShards { stream } => {
                let listing = list_shards(self.kinesis.clone(), stream, self.only.clone(), self.shared.clone());
                self.operations.spawn(listing);
            }
            action => {
                self.operations.spawn(on_store(self.store.clone(), self.worker.clone(), action, self.shared.clone()));
            }
        }
    }

    /// The name of a lease's stream.
    fn stream_of(&self, key: &LeaseKey) -> Arc<str> {
        self.only.clone().unwrap_or_else(|| stream_name(key).into())
    }

    /// The consumer for fan-out of a stream, where its records are pushed.
    fn fan_out_of(&mut self, stream: &Arc<str>) -> Option<Arc<FanOutConsumer>> {
        let Retrieval::FanOut { consumer } = &self.retrieval else { return None };
        let found = self.fan_out.entry(stream.clone());
        Some(found.or_insert_with(|| Arc::new(FanOutConsumer::new(stream.clone(), consumer))).clone())
    }

    fn start_reading(
        &mut self,
        key: &LeaseKey,
        from: Checkpoint,
        initial: InitialPosition,
        hash_range: Option<HashKeyRange>,
    ) {
        let (stream, shard) = (self.stream_of(key), ShardId::from(split_key(key).1));
        let (epoch, from) = self.shared.buffer().open(key, stream.clone(), shard.clone(), from);
        tracing::info!(%stream, %shard, %from, "reading begins");
        // The buffer may know more than the lease table, and so have news already.
        self.shared.changed.notify_one();
        let stored = self.coordinator.lease(key).map(Stored::of).unwrap_or_else(|| Stored::at(from.clone()));
        let (stored, arrived) = (watch::Sender::new(stored), Arc::new(Notify::new()));
        if let Some(streams) = &self.streams {
            let lease = Held {
                shared: self.shared.clone(),
                key: key.clone(),
                stream: stream.clone(),
                shard: shard.clone(),
                epoch,
                stored: stored.subscribe(),
            };
            // Nobody takes it when the handle is gone: the driver ends soon.
            let _ = streams.send(ShardStream::new(lease, from.clone(), arrived.clone()));
        }
        let reader = (!self.pausing.is_cancelled()).then(|| {
            let fan_out = self.fan_out_of(&stream);
            let cursor = ShardCursor::new(self.kinesis.clone(), stream, shard, hash_range, &from, initial);
            let reader = ShardReader::new(cursor, fan_out, self.poll.clone());
            self.shared.buffer().read_by(key, epoch, reader.counts());
            let (shared, is_only) = (self.shared.clone(), self.only.is_some());
            let fails = self.fail_on_data_loss;
            let read = reader::read(reader, shared, key.clone(), epoch, arrived.clone(), is_only, fails);
            tokio::spawn(read).abort_handle()
        });
        self.readings.insert(key.clone(), Reading { reader, stored, arrived });
    }

    fn stop_reading(&mut self, key: &LeaseKey, drain: bool) {
        tracing::info!(lease = %key, drain, "reading ends");
        if drain {
            self.shared.buffer().drain(key);
            if let Some(reading) = self.readings.get(key) {
                reading.stop();
                reading.arrived.notify_one();
            }
            // The buffer may have nothing in flight, and so have news already.
            self.shared.changed.notify_one();
        } else {
            self.shared.buffer().close(key);
            self.readings.remove(key);
        }
    }

    fn stop_readers(&mut self) {
        self.readings.values().for_each(Reading::stop);
    }
}

/// Does an action on the lease table. A table that is gone, or may not be used any more, ends the consumer.
async fn on_store(store: Arc<dyn LeaseStore>, worker: Arc<str>, action: Action, shared: Arc<Shared>) -> Event {
    // Every action that comes here is one of the store, and so has an answer.
    let started = Instant::now();
    let Some(answer) = execute(&*store, &worker, &action).await else { return Event::Tick };
    let times = match &action {
        Action::Renew(_) | Action::WriteSession(_) => Some(shared.renewals.clone()),
        Action::WriteCheckpoint { lease, .. } | Action::Prepare { lease, .. } => {
            shared.buffer().times_of(&lease.key.as_str().into()).map(|times| times.update_lease)
        }
        _ => None,
    };
    if let Some(times) = times {
        times.add(started.elapsed(), answer.error.is_some());
    }
    if let Some(error) = answer.error.filter(|error| !error.is_retryable()) {
        shared.fail(ConsumerError::Store(error));
    }
    answer.event
}

/// The next change of the streams; none: there will be no more.
async fn next_change(changes: &mut Option<Receiver<Starts>>) -> Option<Starts> {
    match changes {
        Some(changes) => changes.recv().await,
        None => std::future::pending().await,
    }
}

/// Lists a stream's shards. A stream that is gone, or that may not be read any more, ends the consumer if it is the `only` one.
async fn list_shards(kinesis: Arc<dyn Kinesis>, stream: String, only: Option<Arc<str>>, shared: Arc<Shared>) -> Event {
    let listed =
        streams::list(&*kinesis, only.as_deref().unwrap_or_else(|| stream_name(&stream)), only.is_some()).await;
    match listed {
        Ok(shards) => Event::ShardsListed { stream, shards },
        Err(error) => {
            let reason = error.to_string();
            if only.is_some() && !error.is_retryable() {
                shared.fail(ConsumerError::Kinesis(error));
            }
            Event::ListFailed { stream, reason }
        }
    }
}
