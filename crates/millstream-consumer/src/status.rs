//! What can be seen of a consumer.

use std::sync::Arc;

use millstream_kinesis::{CallTimes, Checkpoint, ReadCounts, ShardId};

/// One shard that this worker reads.
#[derive(Clone, Debug)]
pub struct ShardStatus {
    /// The stream's name.
    pub stream: Arc<str>,
    /// The shard.
    pub shard: ShardId,
    /// Up to where records were handed out in cuts.
    pub cut: Checkpoint,
    /// Age of the last answer's newest record against the tip of the shard, in milliseconds (`MillisBehindLatest`).
    pub millis_behind: i64,
    /// How many answers have reached the tip of the shard.
    pub tips: u64,
    /// Whether a record was read that arrived after the time at which reading is to stop.
    pub is_past: bool,
    /// Records read and not yet handed out.
    pub queued: usize,
    /// Whether the shard is closed and was read to its end.
    pub ended: bool,
    /// What was read and handed out since this worker began to read the shard.
    pub counts: ShardCounts,
    pub(crate) times: ShardTimes,
}

/// How long what is done for a shard took, since it was reported last.
#[derive(Clone, Debug, Default)]
pub(crate) struct ShardTimes {
    /// Of the one who reads it.
    pub(crate) reader: Arc<ReadCounts>,
    /// Of the program that processes what it got, where each shard has its own.
    pub(crate) process_records: Arc<CallTimes>,
    /// Of writing its checkpoints.
    pub(crate) update_lease: Arc<CallTimes>,
}

/// Records, and bytes of their data; and refused calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShardCounts {
    /// Records read.
    pub records_read: u64,
    /// Bytes read.
    pub bytes_read: u64,
    /// Records handed out.
    pub records_handed_out: u64,
    /// Bytes handed out.
    pub bytes_handed_out: u64,
    /// Calls that the service refused, because the limits of the shard or of the account were reached.
    pub throttles: u64,
    /// Records that were read although they are processed, and left out: the first ones of an aggregated record with a
    /// checkpoint inside.
    pub records_again: u64,
}
