//! Readers of one shard, by polling and by fan-out: two ways to move one [`ShardCursor`].

mod consumer;
mod counts;
mod cursor;
mod fan_out;
mod pace;
mod place;
mod polling;
mod range;
mod read;
mod rhythm;
mod shard;

pub use consumer::FanOutConsumer;
pub use counts::ReadCounts;
pub use cursor::ShardCursor;
pub use fan_out::FanOutReader;
pub use polling::{PollOptions, PollingReader};
pub use range::{RangeRead, RangeReader, read_range};
pub use read::Read;
pub use shard::ShardReader;

#[cfg(test)]
mod tests;
