//! Who reads which shard: snapshots that are asked for when somebody looks.

use async_trait::async_trait;

/// Tells how the shards of a stream are.
#[async_trait]
pub trait StatusSource: Send + Sync {
    /// How they are now; `None` where nothing reads them (any more).
    async fn status(&self) -> Option<StreamStatus>;

    /// Why nothing reads them any more, where that was not asked for.
    fn failure(&self) -> Option<String> {
        None
    }
}

/// A stream, as one worker of one application sees it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StreamStatus {
    /// The application, which is the name of its lease table.
    pub application: String,
    /// The stream.
    pub stream: String,
    /// This worker.
    pub worker: String,
    /// All shards that have a lease or were listed, in the order of their names.
    pub shards: Vec<ShardStatus>,
    /// Why the leases or the shards could not be looked at last, if so.
    pub error: Option<String>,
}

/// A shard.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShardStatus {
    /// Its name.
    pub shard: String,
    /// The shards it was made of, as far as they are known.
    pub parents: Vec<String>,
    /// The first and the last hash key that it takes, where known.
    pub hash_keys: Option<(u128, u128)>,
    /// Whether all of it is processed, or was passed over by a program that began behind it.
    pub has_ended: bool,
    /// Its lease. A child of a shard that is still being read has none yet, and one that has ended may have none any more.
    pub lease: Option<LeaseStatus>,
    /// How far this worker is with it, if it reads it.
    pub reading: Option<ReadingStatus>,
}

/// A lease: who reads the shard, and how far it is processed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LeaseStatus {
    /// What this worker does with it: `creating`, `elsewhere`, `waiting` (for the parents' end), `reading`, `handing over`,
    /// `releasing` or `ended`.
    pub state: &'static str,
    /// The worker that reads the shard.
    pub owner: Option<String>,
    /// The worker that gets it, while it is handed over.
    pub next_owner: Option<String>,
    /// What is stored: everything up to here is processed.
    pub checkpoint: String,
    /// What is processed, where that is further than what is stored.
    pub processed: Option<String>,
    /// How often the last operation on it has failed in a row.
    pub failures: u32,
    /// Why it failed last.
    pub last_error: Option<String>,
}

/// How far this worker is with a shard. Counts begin when it began to read it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadingStatus {
    /// Up to where records were given to batches.
    pub position: String,
    /// How old the newest record read is against the tip of the shard, in ms (`MillisBehindLatest`).
    pub behind_ms: i64,
    /// Records read that no batch has yet.
    pub queued: u64,
    /// Records read.
    pub records_read: u64,
    /// Bytes of data read.
    pub bytes_read: u64,
    /// Records given to batches.
    pub records_given: u64,
    /// Bytes of data given to batches.
    pub bytes_given: u64,
    /// Reads that the service refused, because the limits of the shard or of the account were reached.
    pub throttles: u64,
    /// Records that had been read before: those of batches of an earlier run, and those before a checkpoint inside an
    /// aggregated record, which are left out.
    pub records_again: u64,
    /// Whether the shard is closed and was read to its end.
    pub has_ended: bool,
}
