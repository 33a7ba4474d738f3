use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use crate::{HashKeyRange, SequenceNumber};

/// A shard's name, such as `shardId-000000000000`. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId(Arc<str>);

impl ShardId {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for ShardId {
    fn from(name: &str) -> Self {
        ShardId(name.into())
    }
}

impl From<String> for ShardId {
    fn from(name: String) -> Self {
        ShardId(name.into())
    }
}

impl Borrow<str> for ShardId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A shard as `ListShards` tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    /// The shard's name.
    pub id: ShardId,
    /// The shards it was made of: none, one (split) or two (merge).
    pub parents: Vec<ShardId>,
    /// The hash keys it takes.
    pub hash_range: HashKeyRange,
    /// The lowest sequence number it can hold.
    pub first: SequenceNumber,
    /// The highest sequence number it can hold; known once the shard is closed.
    pub last: Option<SequenceNumber>,
}

impl Shard {
    /// Whether the shard takes no more records.
    pub fn is_closed(&self) -> bool {
        self.last.is_some()
    }
}

/// A child of a shard that was read to its end, as `GetRecords` tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChildShard {
    /// The child's name.
    pub id: ShardId,
    /// All parents of the child: one (split) or two (merge).
    pub parents: Vec<ShardId>,
    /// The hash keys the child takes.
    pub hash_range: HashKeyRange,
}
