//! A stream: its name, its settings, its shards.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use serde::{Deserialize, Serialize};

use super::region::{ACCOUNT, Region};
use super::shard::{Shard, ShardInfo};
use crate::api_error::ApiError;

/// What is written down about a stream, in the metadata file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StreamInfo {
    pub(crate) region: Region,
    pub(crate) name: String,
    /// In AWS's form; also the name of the directory that holds its logs.
    pub(crate) id: String,
    pub(crate) created_ms: u64,
    pub(crate) mode: StreamMode,
    pub(crate) retention_hours: u32,
    pub(crate) max_record_kib: u32,
    pub(crate) shards: Vec<ShardInfo>,
}

/// How the capacity of a stream is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum StreamMode {
    Provisioned,
    OnDemand,
}

/// A stream that exists.
#[derive(Debug)]
pub(crate) struct Stream {
    /// Without the shards.
    info: StreamInfo,
    topology: RwLock<Topology>,
}

/// The shards of a stream at one moment.
#[derive(Debug)]
pub(crate) struct Topology {
    /// By number.
    shards: Vec<Arc<Shard>>,
    /// The open ones by their first hash key.
    open: Vec<(u128, Arc<Shard>)>,
}

impl Stream {
    /// The shards are in the order of their numbers.
    pub(crate) fn new(info: StreamInfo, shards: Vec<Arc<Shard>>) -> Self {
        Self { info: StreamInfo { shards: Vec::new(), ..info }, topology: RwLock::new(Topology::new(shards)) }
    }

    /// Everything but the shards.
    pub(crate) fn settings(&self) -> &StreamInfo {
        &self.info
    }

    /// Everything, as the metadata file has it.
    pub(crate) fn info(&self) -> StreamInfo {
        StreamInfo { shards: self.topology().shards.iter().map(|shard| shard.info()).collect(), ..self.info.clone() }
    }

    pub(crate) fn name(&self) -> &str {
        &self.info.name
    }

    pub(crate) fn arn(&self) -> String {
        let region = &self.info.region;
        format!("arn:{}:kinesis:{region}:{ACCOUNT}:stream/{}", region.partition(), self.info.name)
    }

    /// The shards as they are now. Records are appended under this guard, so that no shard closes meanwhile.
    pub(crate) fn topology(&self) -> RwLockReadGuard<'_, Topology> {
        self.topology.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn topology_mut(&self) -> RwLockWriteGuard<'_, Topology> {
        self.topology.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The shard that a client means; any prefix will do, as at AWS (`shardId-000000000003`, `shardId-3`, `3`).
    pub(crate) fn shard(&self, shard_id: &str) -> Result<Arc<Shard>, ApiError> {
        let number = shard_number(shard_id).ok_or_else(|| self.no_such_shard(shard_id))?;
        let shard = self.topology().shards.get(number as usize).cloned();
        shard.ok_or_else(|| self.no_such_shard(&self::shard_id(number)))
    }

    fn no_such_shard(&self, shard_id: &str) -> ApiError {
        let name = self.name();
        ApiError::not_found(format!("Could not find shard {shard_id} in stream {name} under account {ACCOUNT}."))
    }
}

impl Topology {
    fn new(shards: Vec<Arc<Shard>>) -> Self {
        let mut topology = Self { shards, open: Vec::new() };
        topology.find_open();
        topology
    }

    pub(crate) fn shards(&self) -> &[Arc<Shard>] {
        &self.shards
    }

    pub(crate) fn open_count(&self) -> usize {
        self.open.len()
    }

    /// The open shard that a hash key belongs to. The open shards always divide the whole space.
    pub(crate) fn route(&self, hash_key: u128) -> Option<&Arc<Shard>> {
        let after = self.open.partition_point(|(start, _)| *start <= hash_key);
        self.open.get(after.checked_sub(1)?).map(|(_, shard)| shard)
    }

    /// Closes some shards and adds the ones that take their place.
    pub(crate) fn replace(&mut self, closing: &[u32], now_ms: u64, children: Vec<Arc<Shard>>) {
        for number in closing {
            if let Some(shard) = self.shards.get(*number as usize) {
                shard.close(now_ms);
            }
        }
        self.shards.extend(children);
        self.find_open();
    }

    fn find_open(&mut self) {
        let open = self.shards.iter().filter(|shard| shard.closed_ms().is_none());
        self.open = open.map(|shard| (shard.info().start_hash, Arc::clone(shard))).collect();
        self.open.sort_by_key(|(start, _)| *start);
    }
}

/// `shardId-000000000003`.
pub(crate) fn shard_id(number: u32) -> String {
    format!("shardId-{number:012}")
}

/// The number in a shard id as AWS reads it: what follows the first hyphen, or all of it.
pub(crate) fn shard_number(shard_id: &str) -> Option<u32> {
    let digits = shard_id.split('-').nth(1).filter(|digits| !digits.is_empty()).unwrap_or(shard_id);
    let number: u32 = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())??;
    i32::try_from(number).is_ok().then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_id_is_known_by_its_number() {
        for (id, number) in [
            ("shardId-000000000003", Some(3)),
            ("a-00002147483647", Some(i32::MAX as u32)),
            ("-5", Some(5)),
            ("7", Some(7)),
            ("2147483648", None),
            ("shardId-002147483648", None),
            ("ABKLFD8", None),
            ("2.14E4", None),
            ("+4", None),
            ("", None),
        ] {
            assert_eq!(shard_number(id), number, "{id}");
        }
        assert_eq!(shard_id(3), "shardId-000000000003");
    }
}
