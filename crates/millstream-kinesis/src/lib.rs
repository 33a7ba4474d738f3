//! The words of Kinesis: streams, shards, sequence numbers, records in columns, KPL aggregation, clients and readers.

mod aws;
mod backoff;
mod block;
mod call_times;
mod client;
mod clock;
mod column;
mod error;
mod hash_key;
pub mod kpl;
mod position;
mod producer;
mod reader;
mod sequence;
mod shard;
mod stream;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use aws::{AwsKinesis, AwsSettings, CloudWatch, CloudWatchError, CredentialsSource, Datum};
pub use block::{BlockBuilder, RecordBlock, RecordRef};
pub use call_times::{CallTimes, Times};
pub use client::{GetRecords, Kinesis, Pushed, PutEntry, PutOutcome, ReadFrom, StreamConsumer, Subscription};
pub use clock::now_ms;
pub use column::{BinaryColumn, Column, TextColumn};
pub use error::KinesisError;
pub use hash_key::{HashKey, HashKeyRange, InvalidHashKey};
pub use position::{Checkpoint, InitialPosition, InvalidCheckpoint, Position, ShardRange};
pub use producer::{Producer, ProducerError, ProducerOptions, PutSummary};
pub use reader::{
    FanOutConsumer, FanOutReader, PollOptions, PollingReader, RangeRead, RangeReader, Read, ReadCounts, ShardCursor,
    ShardReader, read_range,
};
pub use sequence::{InvalidSequenceNumber, SequenceNumber};
pub use shard::{ChildShard, Shard, ShardId};
pub use stream::{StreamOrigin, StreamSummary};
