//! What a consumer is told.

use std::borrow::Cow;
use std::time::Duration;

use millstream_kinesis::{InitialPosition, PollOptions};
use millstream_lease::CoordinatorConfig;
use tokio::sync::watch;

use crate::history::History;
use crate::metrics::MetricsConfig;

/// One worker of one application.
#[derive(Clone, Debug)]
pub struct ConsumerConfig {
    /// What is read.
    pub streams: Streams,
    /// Clocks and limits of the leases, with the worker's id and the initial position of an application of one stream.
    pub lease: CoordinatorConfig,
    /// How records come.
    pub retrieval: Retrieval,
    /// How shards are polled, where they are.
    pub poll: PollOptions,
    /// Whether it is an error that a shard is gone before it was read, or that the stream was deleted and made again. Otherwise
    /// reading goes on with what there is, with a log line.
    pub fail_on_data_loss: bool,
    /// Bytes of records held at most, queued and in flight together. Reading waits while it is reached.
    pub buffer_bytes: u32,
    /// Decides which of several equal leases are taken first, and tells this worker's signs of life from those of others: another
    /// one for each process.
    pub seed: u64,
    /// What an earlier run of the program has cut, if it has records of that.
    pub history: Option<History>,
    /// What is reported to CloudWatch; `None`: nothing.
    pub metrics: Option<MetricsConfig>,
    /// How long [`Consumer::shutdown`](crate::Consumer::shutdown) may take before it gives up on the store.
    pub shutdown_timeout: Duration,
}

/// What an application reads. All its workers are to say the same: the leases of an application that reads several streams, be
/// it only one at a time, are not called as those of one that reads one.
#[derive(Clone, Debug)]
pub enum Streams {
    /// One stream, for good. Leases are called as its shards.
    One(String),
    /// Several, which may change while the worker runs: those that were sent last. Leases are called
    /// `account:stream:epoch:shard`, as those of a KCL with a `MultiStreamTracker`.
    Several(watch::Receiver<Vec<StreamConfig>>),
}

impl Streams {
    /// The stream's name; of several, their names for people.
    pub fn name(&self) -> Cow<'_, str> {
        match self {
            Streams::One(stream) => Cow::Borrowed(stream),
            Streams::Several(streams) => {
                let streams = streams.borrow();
                Cow::Owned(streams.iter().map(|stream| stream.stream.as_str()).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// One of several streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamConfig {
    /// Its name; or `account:stream:epoch`, to be called as a Java worker calls it that does not take the creation time in
    /// seconds for the epoch ([`StreamIdentifier`](millstream_lease::StreamIdentifier)).
    pub stream: String,
    /// Where it starts if it has no leases.
    pub initial: InitialPosition,
}

/// How records come from the service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Retrieval {
    /// Each shard is asked five times a second; all its readers share its 2 MB/s.
    #[default]
    Polling,
    /// The service pushes records to a consumer for enhanced fan-out as they arrive, 2 MB/s a shard for it alone. Where it
    /// can't be had, shards are polled.
    FanOut {
        /// The consumer's name: all workers of an application use one. It is registered where it is missing, and stays.
        consumer: String,
    },
}

impl ConsumerConfig {
    /// Bytes held at most unless set otherwise: 64 MiB.
    pub const DEFAULT_BUFFER_BYTES: u32 = 64 << 20;

    /// The defaults: shards are polled, and a shutdown may take 10 s. `seed` is to be another one for each worker.
    pub fn new(stream: impl Into<String>, lease: CoordinatorConfig, seed: u64) -> Self {
        Self::of(Streams::One(stream.into()), lease, seed)
    }

    /// The same for a worker that reads several streams, those that were sent last.
    pub fn several(streams: watch::Receiver<Vec<StreamConfig>>, lease: CoordinatorConfig, seed: u64) -> Self {
        Self::of(Streams::Several(streams), lease, seed)
    }

    fn of(streams: Streams, lease: CoordinatorConfig, seed: u64) -> Self {
        Self {
            streams,
            lease,
            retrieval: Retrieval::default(),
            poll: PollOptions::default(),
            fail_on_data_loss: true,
            buffer_bytes: Self::DEFAULT_BUFFER_BYTES,
            seed,
            history: None,
            metrics: None,
            shutdown_timeout: Duration::from_secs(10),
        }
    }
}
