//! Kinesis streams as inputs.

mod builder;
mod input;
mod past;
mod record;
mod runtime;
mod source;
mod watch;

pub use builder::{BuildError, KinesisInputDStream, KinesisInputDStreamBuilder};
pub use input::{KinesisInput, Metrics};
pub use record::KinesisRecord;
pub use runtime::{runtime, wait_for};
pub use source::KinesisSource;
pub use watch::KinesisWatch;
