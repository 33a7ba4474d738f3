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
//! [`buffer`] decides what may be reported and is pure; the driver owns the coordinator and does its actions; a reader is
//! one task a shard.

pub mod buffer;
mod config;
mod consumer;
mod driver;
mod error;
mod history;
mod reader;
mod shared;
mod status;

pub use buffer::{Cut, CutId, ShardInput};
pub use config::{ConsumerConfig, Retrieval};
pub use consumer::Consumer;
pub use error::ConsumerError;
pub use history::History;
pub use status::ShardStatus;
