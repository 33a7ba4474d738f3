//! What a consumer is told.

use std::time::Duration;

use millstream_kinesis::PollOptions;
use millstream_lease::CoordinatorConfig;

use crate::history::History;

/// One worker of one application on one stream.
#[derive(Clone, Debug)]
pub struct ConsumerConfig {
    /// Stream to read.
    pub stream: String,
    /// Clocks and limits of the leases, with the worker's id and the initial position.
    pub lease: CoordinatorConfig,
    /// How records come.
    pub retrieval: Retrieval,
    /// How shards are polled, where they are.
    pub poll: PollOptions,
    /// Bytes of records held at most, queued and in flight together. Reading waits while it is reached.
    pub buffer_bytes: u32,
    /// Decides which of several equal leases are taken first; another one for each worker.
    pub seed: u64,
    /// What an earlier run of the program has cut, if it has records of that.
    pub history: Option<History>,
    /// How long [`Consumer::shutdown`](crate::Consumer::shutdown) may take before it gives up on the store.
    pub shutdown_timeout: Duration,
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
        Self {
            stream: stream.into(),
            lease,
            retrieval: Retrieval::default(),
            poll: PollOptions::default(),
            buffer_bytes: Self::DEFAULT_BUFFER_BYTES,
            seed,
            history: None,
            shutdown_timeout: Duration::from_secs(10),
        }
    }
}
