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
    /// How shards are polled.
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

impl ConsumerConfig {
    /// Bytes held at most unless set otherwise: 64 MiB.
    pub const DEFAULT_BUFFER_BYTES: u32 = 64 << 20;
}
