//! A stream: its name, its settings, its shards.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use serde::{Deserialize, Serialize};

use super::consumer::ConsumerInfo;
use super::lifecycle::{Lifecycle, Status};
use super::limits::ShardName;
use super::metric::Metric;
use super::region::{ACCOUNT, Region};
use super::reshard::Reshard;
use super::shard::{Shard, ShardInfo};
use super::traffic::Traffic;
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
    /// When a change that takes AWS a while was last begun.
    #[serde(default)]
    pub(crate) updated_ms: u64,
    /// When it was asked to go.
    #[serde(default)]
    pub(crate) deleting_ms: Option<u64>,
    /// Splits and merges that take effect when the stream is no longer UPDATING.
    #[serde(default)]
    pub(crate) resharding: Vec<Reshard>,
    /// Records older than this had expired when the retention period was increased, and stay gone.
    #[serde(default)]
    pub(crate) horizon_ms: u64,
    #[serde(default)]
    pub(crate) metrics: BTreeSet<Metric>,
    #[serde(default)]
    pub(crate) encryption: Option<Encryption>,
    /// In MiB/s.
    #[serde(default)]
    pub(crate) warm_throughput: Option<u32>,
    #[serde(default)]
    pub(crate) distribution: Distribution,
    #[serde(default)]
    pub(crate) tags: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) policy: Option<String>,
    #[serde(default)]
    pub(crate) consumers: Vec<ConsumerInfo>,
    pub(crate) shards: Vec<ShardInfo>,
}

/// The key that records are said to be encrypted with. Nothing is encrypted here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Encryption {
    pub(crate) key_id: String,
    /// Records that arrived earlier are not encrypted.
    pub(crate) since_ms: u64,
}

/// How the capacity of a stream is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum StreamMode {
    Provisioned,
    OnDemand,
}

/// How records find their shards; other than by their keys only in on-demand streams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Distribution {
    #[default]
    UserPartitionKey,
    /// Evenly, whatever their keys; they need not have any.
    Auto,
}

/// A stream that exists.
#[derive(Debug)]
pub(crate) struct Stream {
    name: String,
    arn: String,
    lifecycle: Lifecycle,
    /// Without the shards.
    info: RwLock<Arc<StreamInfo>>,
    topology: RwLock<Topology>,
    traffic: Traffic,
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
    pub(crate) fn new(info: StreamInfo, shards: Vec<Arc<Shard>>, lifecycle: Lifecycle) -> Self {
        let StreamInfo { region, name, .. } = &info;
        Self {
            name: name.clone(),
            arn: format!("arn:{}:kinesis:{region}:{ACCOUNT}:stream/{name}", region.partition()),
            lifecycle,
            info: RwLock::new(Arc::new(StreamInfo { shards: Vec::new(), ..info })),
            topology: RwLock::new(Topology::new(shards)),
            traffic: Traffic::default(),
        }
    }

    /// Everything but the shards, as it is now.
    pub(crate) fn settings(&self) -> Arc<StreamInfo> {
        Arc::clone(&self.info.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Everything, as the metadata file has it.
    pub(crate) fn info(&self) -> StreamInfo {
        let shards = self.topology().shards.iter().map(|shard| shard.info()).collect();
        StreamInfo { shards, ..StreamInfo::clone(&self.settings()) }
    }

    /// Takes over settings that have been written down; shards change in the topology alone.
    pub(crate) fn set(&self, info: StreamInfo) {
        let settings = Arc::new(StreamInfo { shards: Vec::new(), ..info });
        *self.info.write().unwrap_or_else(PoisonError::into_inner) = settings;
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn arn(&self) -> &str {
        &self.arn
    }

    pub(crate) fn lifecycle(&self) -> &Lifecycle {
        &self.lifecycle
    }

    /// What went in and out.
    pub(crate) fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.lifecycle.now_ms()
    }

    pub(crate) fn status(&self) -> Status {
        self.lifecycle.status(&self.settings())
    }

    /// Whether the stream has shards to put to and to read: not while it is created or deleted.
    pub(crate) fn is_usable(&self) -> bool {
        matches!(self.status(), Status::Active | Status::Updating)
    }

    /// One change at a time: AWS's answer to a second.
    pub(crate) fn must_be_active(&self) -> Result<(), ApiError> {
        match self.status() {
            Status::Active => Ok(()),
            status => Err(ApiError::in_use(format!(
                "Stream {} under account {ACCOUNT} not ACTIVE, instead in state {status}",
                self.name
            ))),
        }
    }

    /// Records that arrived earlier have expired.
    pub(crate) fn horizon_ms(&self) -> u64 {
        let settings = self.settings();
        let retention_ms = u64::from(settings.retention_hours) * 3_600_000;
        self.now_ms().saturating_sub(retention_ms).max(settings.horizon_ms)
    }

    /// The shards that a client sees: none while the stream is created or deleted, and none that has expired.
    pub(crate) fn visible_shards(&self) -> Vec<Arc<Shard>> {
        if !self.is_usable() {
            return Vec::new();
        }
        self.topology().shards.iter().filter(|shard| !self.has_expired(shard)).cloned().collect()
    }

    /// Whether a shard was closed so long ago that all its records have expired.
    pub(crate) fn has_expired(&self, shard: &Shard) -> bool {
        shard.closed_ms().is_some_and(|closed_ms| closed_ms < self.horizon_ms())
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

    /// How the limits know a shard of this stream.
    pub(crate) fn shard_name<'a>(&'a self, settings: &'a StreamInfo, number: u32) -> ShardName<'a> {
        ShardName { stream: &self.name, stream_id: &settings.id, number }
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

    /// The open shards in the order of their hash keys.
    pub(crate) fn open(&self) -> impl ExactSizeIterator<Item = &Arc<Shard>> {
        self.open.iter().map(|(_, shard)| shard)
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
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_metadata_of_the_first_release_is_read() {
        let json = r#"{"region": "eu-west-1", "name": "s", "id": "0123456789abcdef0123-abc", "created_ms": 1,
            "mode": "PROVISIONED", "retention_hours": 24, "max_record_kib": 1024, "shards": []}"#;
        let info: StreamInfo = serde_json::from_str(json).unwrap();
        assert_eq!(Lifecycle::default().status(&info), Status::Active);
        assert_eq!(serde_json::from_str::<StreamInfo>(&serde_json::to_string(&info).unwrap()).unwrap(), info);
    }

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
