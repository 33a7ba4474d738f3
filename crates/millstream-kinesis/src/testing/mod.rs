//! A Kinesis in memory for tests: scripted, counted, and as strict as the service where it matters.

mod fake;
mod fan_out;
mod shard;

pub use fake::{Call, FakeKinesis, Operation};
