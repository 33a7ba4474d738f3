//! Aggregated records of the Kinesis Producer Library (KPL): many user records in the data of one.
//!
//! The data are magic bytes, a protobuf message and its MD5 (KPL's `aggregation-format.md`, KCL's `AggregatorUtil`).

mod aggregate;
mod deaggregate;
mod producer;
mod proto;

pub use aggregate::Aggregator;
pub use deaggregate::{Deaggregated, deaggregate};
pub use producer::AggregatingProducer;

const MAGIC: [u8; 4] = [0xF3, 0x89, 0x9A, 0xC2];
const DIGEST_LEN: usize = 16;
