//! Records as elements of a stream.

use millstream_kinesis::{RecordBlock, RecordRef};
use std::fmt;
use std::sync::Arc;

/// One user record. A handle into the block it came in: cheap to clone, nothing is copied.
#[derive(Clone)]
pub struct KinesisRecord {
    block: Arc<RecordBlock>,
    index: usize,
}

impl KinesisRecord {
    /// The block's records, in order.
    pub(crate) fn all_of(block: RecordBlock) -> Vec<Self> {
        let block = Arc::new(block);
        (0..block.len()).map(|index| Self { block: block.clone(), index }).collect()
    }

    fn record(&self) -> RecordRef<'_> {
        self.block.get(self.index)
    }

    /// The data.
    pub fn data(&self) -> &[u8] {
        self.record().data
    }

    /// The partition key.
    pub fn partition_key(&self) -> &str {
        self.record().partition_key
    }

    /// The sequence number, in decimal digits.
    pub fn sequence_number(&self) -> &str {
        self.record().sequence
    }

    /// The number within an aggregated (KPL) record, from 0; 0 for others.
    pub fn sub_sequence_number(&self) -> u64 {
        self.record().sub
    }

    /// When Kinesis received the record, in ms since the epoch.
    pub fn approximate_arrival_ms(&self) -> i64 {
        self.record().arrival_ms
    }

    /// The shard.
    pub fn shard_id(&self) -> &str {
        self.block.shard().as_str()
    }

    /// The stream.
    pub fn stream_name(&self) -> &str {
        self.block.stream()
    }
}

impl fmt::Debug for KinesisRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KinesisRecord")
            .field("shard_id", &self.shard_id())
            .field("sequence_number", &self.sequence_number())
            .field("sub_sequence_number", &self.sub_sequence_number())
            .field("partition_key", &self.partition_key())
            .field("data", &String::from_utf8_lossy(self.data()))
            .finish()
    }
}
