use crate::{ChildShard, RecordBlock};

/// What a reader got.
#[derive(Debug, Clone)]
pub enum Read {
    /// The next user records in order; may be none.
    Records {
        /// The records.
        block: RecordBlock,
        /// How far behind the shard's end the reader is, in milliseconds.
        millis_behind: i64,
    },
    /// The shard is closed and all its records were read.
    End {
        /// The shards that follow it, as far as the service tells.
        children: Vec<ChildShard>,
    },
}
