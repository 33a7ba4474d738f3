use std::borrow::Cow;

use millstream_kinesis::{Checkpoint, ChildShard, HashKeyRange, Shard, ShardId};

use crate::Throughput;
use crate::key::{lease_key, split_key};

/// The right to read one shard, and how far the shard is processed: one row of the lease table.
///
/// The fields are the attributes of the KCL's table (`DynamoDBLeaseSerializer`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The row's key: the shard's id; where an application reads several streams, `account:stream:epoch:shard`
    /// (KCL `MultiStreamLease`).
    pub key: String,
    /// The worker the lease belongs to. While a handoff is pending, the *next* one.
    pub owner: Option<String>,
    /// Set while a handoff is pending: the worker that still reads the shard.
    pub checkpoint_owner: Option<String>,
    /// Moved by every write of the reader: its heartbeat, and the fence of all conditional writes.
    pub counter: u64,
    /// How often the owner changed since the last checkpoint.
    pub owner_switches: u64,
    /// Everything up to here is processed.
    pub checkpoint: Checkpoint,
    /// The moment that a checkpoint `LATEST` stands for, in milliseconds since the epoch: kept in an attribute of our own,
    /// which Java workers leave alone. Without it, every reader of the lease would begin at a `LATEST` of its own, and what
    /// came between two of them would be lost.
    pub latest_since_ms: Option<i64>,
    /// A checkpoint prepared by a Java worker; removed by the next checkpoint.
    pub pending_checkpoint: Option<Checkpoint>,
    /// What the Java worker's program prepared with it, for its successor; removed with it.
    pub pending_state: Option<Vec<u8>>,
    /// The shards this one was made of.
    pub parents: Vec<ShardId>,
    /// The shards made of this one; known at its end.
    pub children: Vec<ShardId>,
    /// The hash keys the shard takes, where known.
    pub hash_range: Option<HashKeyRange>,
    /// How much of the shard is processed, as its owner measured it; a leader of the KCL 3 balances by it.
    pub throughput: Option<Throughput>,
}

impl Lease {
    /// A lease that nobody owns, for a shard of `ListShards`.
    pub fn of_shard(shard: &Shard, checkpoint: Checkpoint) -> Self {
        Self::unowned(&shard.id, &shard.parents, shard.hash_range, checkpoint)
    }

    /// A lease that nobody owns, for a shard told by its parent's last `GetRecords`.
    pub fn of_child(child: &ChildShard, checkpoint: Checkpoint) -> Self {
        Self::unowned(&child.id, &child.parents, child.hash_range, checkpoint)
    }

    fn unowned(id: &ShardId, parents: &[ShardId], hash_range: HashKeyRange, checkpoint: Checkpoint) -> Self {
        Lease {
            key: id.as_str().to_owned(),
            owner: None,
            checkpoint_owner: None,
            counter: 0,
            owner_switches: 0,
            checkpoint,
            latest_since_ms: None,
            pending_checkpoint: None,
            pending_state: None,
            parents: parents.to_vec(),
            children: Vec::new(),
            hash_range: Some(hash_range),
            throughput: None,
        }
    }

    /// The stream, `account:stream:epoch` (KCL `StreamIdentifier`); empty where the application reads one alone.
    pub fn stream(&self) -> &str {
        split_key(&self.key).0
    }

    /// The shard's id alone.
    pub fn shard(&self) -> &str {
        split_key(&self.key).1
    }

    /// The key of another shard's lease, of the same stream.
    pub fn sibling<'a>(&self, shard: &'a ShardId) -> Cow<'a, str> {
        lease_key(self.stream(), shard.as_str())
    }

    /// The worker that may read and checkpoint now (KCL `Lease.actualOwner`).
    pub fn actual_owner(&self) -> Option<&str> {
        self.checkpoint_owner.as_deref().or(self.owner.as_deref())
    }

    /// Whether the shard is processed to its end.
    pub fn is_ended(&self) -> bool {
        self.checkpoint == Checkpoint::ShardEnd
    }

    /// Whether nothing of the shard is processed yet.
    pub fn is_untouched(&self) -> bool {
        !matches!(self.checkpoint, Checkpoint::At(_) | Checkpoint::ShardEnd)
    }
}
