//! What can be seen of a consumer.

use millstream_kinesis::{Checkpoint, ShardId};

/// One shard that this worker reads.
#[derive(Clone, Debug)]
pub struct ShardStatus {
    /// The shard.
    pub shard: ShardId,
    /// Up to where records were handed out in cuts.
    pub cut: Checkpoint,
    /// Age of the last answer's newest record against the tip of the shard, in milliseconds (`MillisBehindLatest`).
    pub millis_behind: i64,
    /// Records read and not yet handed out.
    pub queued: usize,
    /// Whether the shard is closed and was read to its end.
    pub ended: bool,
}
