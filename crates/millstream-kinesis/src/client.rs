use async_trait::async_trait;
use bytes::Bytes;

use crate::{ChildShard, HashKey, KinesisError, RecordBlock, SequenceNumber, Shard, ShardId, StreamOrigin};

/// The calls to Kinesis that Millstream makes.
///
/// Implemented by [`crate::AwsKinesis`], and in tests by `testing::FakeKinesis`.
#[async_trait]
pub trait Kinesis: Send + Sync + 'static {
    /// All shards of the stream, open and closed, over all pages (`ListShards`).
    async fn list_shards(&self, stream: &str) -> Result<Vec<Shard>, KinesisError>;

    /// An iterator, good for 5 minutes (`GetShardIterator`).
    async fn get_iterator(&self, stream: &str, shard: &ShardId, at: &ReadFrom) -> Result<String, KinesisError>;

    /// At most `limit` records from the iterator on (`GetRecords`). `stream` and `shard` name the block.
    async fn get_records(
        &self,
        stream: &str,
        shard: &ShardId,
        iterator: &str,
        limit: u32,
    ) -> Result<GetRecords, KinesisError>;

    /// The stream's consumer of this name for enhanced fan-out, if there is one (`DescribeStreamConsumer`).
    async fn find_consumer(&self, stream: &str, name: &str) -> Result<Option<StreamConsumer>, KinesisError>;

    /// Makes a consumer for enhanced fan-out; does not wait until it is active (`RegisterStreamConsumer`).
    async fn register_consumer(&self, stream: &str, name: &str) -> Result<StreamConsumer, KinesisError>;

    /// Lets the service push a shard's records to the consumer with this ARN, for 5 minutes at most (`SubscribeToShard`).
    /// `stream` names the blocks.
    async fn subscribe(
        &self,
        stream: &str,
        consumer_arn: &str,
        shard: &ShardId,
        at: &ReadFrom,
    ) -> Result<Box<dyn Subscription>, KinesisError>;

    /// Writes up to 500 records in one call (`PutRecords`); one outcome for each entry, in the same order.
    async fn put_records(&self, stream: &str, entries: &[PutEntry]) -> Result<Vec<PutOutcome>, KinesisError>;

    /// Whose stream it is, and since when it exists (`DescribeStreamSummary`).
    async fn stream_origin(&self, stream: &str) -> Result<StreamOrigin, KinesisError>;

    /// Creates the stream; does not wait until it is active (`CreateStream`).
    async fn create_stream(&self, stream: &str, shards: u32) -> Result<(), KinesisError>;

    /// Whether the stream exists and can be read and written (`DescribeStreamSummary`).
    async fn stream_active(&self, stream: &str) -> Result<bool, KinesisError>;
}

/// A shard's records as the service pushes them. Dropping it ends it.
#[async_trait]
pub trait Subscription: Send {
    /// Waits for the next event; none when the service has ended the subscription. Nothing is read while nobody waits. May
    /// be cancelled and called again: no event is lost.
    async fn next(&mut self) -> Result<Option<Pushed>, KinesisError>;
}

/// A consumer for enhanced fan-out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamConsumer {
    /// Its name in AWS.
    pub arn: String,
    /// Whether it can subscribe already.
    pub is_active: bool,
}

/// Where an iterator or a subscription starts (`ShardIteratorType`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadFrom {
    /// The oldest record kept.
    TrimHorizon,
    /// The next record to arrive.
    Latest,
    /// The first record that arrived at this time or later (milliseconds since the Unix epoch).
    AtTimestamp(i64),
    /// This record.
    At(SequenceNumber),
    /// The record after this one.
    After(SequenceNumber),
}

/// The answer to one `GetRecords`.
#[derive(Debug, Clone)]
pub struct GetRecords {
    /// The records as they were put, aggregated ones not taken apart.
    pub block: RecordBlock,
    /// The iterator to go on with; none at the end of a closed shard.
    pub next: Option<String>,
    /// How old the answer's end is, in milliseconds: 0 means that all records are read.
    pub millis_behind: i64,
    /// At the end of a closed shard, the shards that follow it.
    pub children: Vec<ChildShard>,
}

/// One event of a subscription.
#[derive(Debug, Clone)]
pub struct Pushed {
    /// The records as they were put, aggregated ones not taken apart; often none.
    pub block: RecordBlock,
    /// Subscribe after it to go on; none at the end of a closed shard.
    pub continuation: Option<SequenceNumber>,
    /// How old the event's end is, in milliseconds: 0 means that all records were pushed.
    pub millis_behind: i64,
    /// At the end of a closed shard, the shards that follow it.
    pub children: Vec<ChildShard>,
}

/// A record to put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutEntry {
    /// The data.
    pub data: Bytes,
    /// Decides the shard by its hash, 1 to 256 characters.
    pub partition_key: String,
    /// Decides the shard instead of the partition key's hash.
    pub explicit_hash_key: Option<HashKey>,
}

impl PutEntry {
    /// A record whose partition key decides its shard.
    pub fn new(partition_key: impl Into<String>, data: impl Into<Bytes>) -> Self {
        PutEntry { data: data.into(), partition_key: partition_key.into(), explicit_hash_key: None }
    }

    /// What the record counts towards the limits of a call, in bytes: data and partition key.
    pub fn size(&self) -> usize {
        self.data.len() + self.partition_key.len()
    }
}

/// What became of one entry of a `PutRecords` call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutOutcome {
    /// The record is stored.
    Accepted {
        /// The shard it went to.
        shard: ShardId,
        /// Its sequence number.
        sequence: SequenceNumber,
    },
    /// The record is not stored; put it again.
    Rejected {
        /// The AWS error code.
        code: String,
        /// What the service said.
        message: String,
    },
}
