//! Readers and leases run together: a worker that reads the shards it holds leases of, keeps their records in bounded
//! queues, hands them out in cuts, and writes a checkpoint only when a cut's processing has been reported.
//!
//! ```text
//!  ShardReader ────► Buffer (per shard: queue, then cuts in flight) ──► Consumer::cut
//!       ▲                    │ processed in order, drained, read to the end
//!       │ start, stop        ▼
//!     Driver ◄────── Coordinator (pure, millstream-lease) ──► LeaseStore
//! ```
//!
//! In place of cuts of all shards, a [`ShardConsumer`] hands out each shard for itself, with a [`Checkpointer`];
//! [`processor`] runs on it what was written for the Java KCL. A [`Prefetcher`] reads ahead for an engine that keeps offsets of
//! its own, and a [`Publisher`] writes its progress to a lease table.
//!
//! [`buffer`] decides what may be reported and is pure; the driver owns the coordinator and does its actions; a reader is
//! one task a shard.

pub mod buffer;
mod config;
mod consumer;
mod driver;
mod error;
mod history;
mod metrics;
mod overview;
mod prefetcher;
pub mod processor;
mod publisher;
mod reader;
mod shard_consumer;
mod shard_stream;
mod shared;
mod status;
mod streams;

pub use buffer::{Cut, CutId, CutLimits, ShardInput};
pub use config::{ConsumerConfig, Retrieval, StreamConfig, Streams};
pub use consumer::Consumer;
pub use error::ConsumerError;
pub use history::History;
pub use metrics::{MetricsConfig, MetricsLevel};
pub use overview::{LeaseOverview, Observer, Overview};
pub use prefetcher::{Places, PrefetchConfig, Prefetcher, Take, Taken, TakenRange};
pub use publisher::{PublishError, Published, Publisher, published};
pub use shard_consumer::ShardConsumer;
pub use shard_stream::{CheckpointError, Checkpointer, PreparedCheckpoint, ShardEvent, ShardStream};
pub use status::{ShardCounts, ShardStatus};
