//! Kinesis as streams of micro-batches: StreamingContext and DStream for Rust.
//!
//! A program gets streams from a [`StreamingContext`], derives others from them, says what is to be done with each batch, and
//! starts. [`KinesisInputDStream`] reads a Kinesis stream together with all other processes of the same application name: shards are
//! shared by leases, and a shard's checkpoint never passes a record whose batch's outputs have not all succeeded.
//!
//! ```no_run
//! use millstream::{InitialPosition, KinesisInputDStream, StreamingContext};
//! use std::time::Duration;
//!
//! let ssc = StreamingContext::new(Duration::from_secs(1));
//! let records = KinesisInputDStream::builder()
//!     .streaming_context(&ssc)
//!     .checkpoint_app_name("word-count")
//!     .stream_name("lines")
//!     .endpoint_url("https://kinesis.eu-central-1.amazonaws.com")
//!     .region_name("eu-central-1")
//!     .initial_position(InitialPosition::TrimHorizon)
//!     .build()?;
//! let words = records.flat_map(|record| {
//!     let line = String::from_utf8_lossy(record.data());
//!     line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
//! });
//! words.map(|word| (word.clone(), 1u64)).reduce_by_key(|a, b| a + b).pprint(10);
//! ssc.start()?;
//! ssc.await_termination()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod context;
mod dataset;
mod dstream;
mod error;
pub mod kinesis;
mod lock;
mod output;
mod pairs;
mod partitions;
mod print;
mod queue;
mod saved;
mod serving;
mod stateful;
mod text_files;
mod window;

pub use context::StreamingContext;
pub use dstream::DStream;
pub use error::ContextError;
pub use kinesis::KinesisInputDStream;
pub use millstream_dashboard::{DashboardConfig, DashboardError};
pub use millstream_engine::{
    BatchInfo, BatchListener, BatchTime, BoxError, EngineConfig, InputInfo, JobError, OutputInfo, Panicked, State, Step,
};
pub use millstream_kinesis::{CredentialsSource, InitialPosition};
pub use partitions::Partitions;
pub use queue::Queue;
