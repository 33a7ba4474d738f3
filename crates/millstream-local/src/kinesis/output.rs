//! Parts of answers that several operations share.

use std::collections::BTreeSet;

use serde::{Serialize, Serializer};

use super::lifecycle::Status;
use super::metric::Metric;
use super::sequence::Sequence;
use super::shard::{Shard, ShardInfo};
use super::stream::{Stream, StreamMode, shard_id};
use crate::clock;

/// A time in milliseconds, which every format writes in its own way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) u64);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_f64(clock::seconds(self.0))
        } else {
            serializer.serialize_newtype_struct(millstream_cbor::TIME, &self.0)
        }
    }
}

/// A shard as DescribeStream and ListShards show it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ShardOutput {
    shard_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_shard_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    adjacent_parent_shard_id: Option<String>,
    hash_key_range: HashKeyRange,
    sequence_number_range: SequenceNumberRange,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct HashKeyRange {
    starting_hash_key: String,
    ending_hash_key: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct SequenceNumberRange {
    starting_sequence_number: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ending_sequence_number: Option<String>,
}

/// A shard that took the place of another, as GetRecords shows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ChildShard {
    shard_id: String,
    parent_shards: Vec<String>,
    hash_key_range: HashKeyRange,
}

/// The settings of a stream that every description shows.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct StreamOutput {
    stream_name: String,
    #[serde(rename = "StreamARN")]
    stream_arn: String,
    stream_status: Status,
    stream_mode_details: StreamModeDetails,
    stream_creation_timestamp: Time,
}

/// The warm throughput of a stream, in MiB/s. It changes at once.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct WarmThroughput {
    #[serde(rename = "TargetMiBps")]
    target: u32,
    #[serde(rename = "CurrentMiBps")]
    current: u32,
}

impl From<u32> for WarmThroughput {
    fn from(throughput: u32) -> Self {
        Self { target: throughput, current: throughput }
    }
}

/// A tag of a list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Tag {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// What descriptions show and lists do not.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct StreamDetails {
    retention_period_hours: u32,
    enhanced_monitoring: [EnhancedMetrics; 1],
    encryption_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct StreamModeDetails {
    stream_mode: StreamMode,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct EnhancedMetrics {
    shard_level_metrics: BTreeSet<Metric>,
}

impl From<&Stream> for StreamOutput {
    fn from(stream: &Stream) -> Self {
        let settings = stream.settings();
        Self {
            stream_name: settings.name.clone(),
            stream_arn: stream.arn().to_owned(),
            stream_status: stream.status(),
            stream_mode_details: StreamModeDetails { stream_mode: settings.mode },
            stream_creation_timestamp: Time(settings.created_ms),
        }
    }
}

impl From<&Stream> for StreamDetails {
    fn from(stream: &Stream) -> Self {
        let settings = stream.settings();
        Self {
            retention_period_hours: settings.retention_hours,
            enhanced_monitoring: [EnhancedMetrics { shard_level_metrics: settings.metrics.clone() }],
            encryption_type: if settings.encryption.is_some() { "KMS" } else { "NONE" },
            key_id: settings.encryption.as_ref().map(|encryption| encryption.key_id.clone()),
        }
    }
}

impl From<&ShardInfo> for HashKeyRange {
    fn from(shard: &ShardInfo) -> Self {
        Self { starting_hash_key: shard.start_hash.to_string(), ending_hash_key: shard.end_hash.to_string() }
    }
}

impl From<&Shard> for ShardOutput {
    fn from(shard: &Shard) -> Self {
        let info = shard.info();
        let ShardInfo { number, opened_secs, .. } = info;
        let end = |closed_ms: u64| Sequence::end(opened_secs, number, closed_ms / 1000).to_string();
        Self {
            shard_id: shard_id(number),
            parent_shard_id: info.parents.first().map(|parent| shard_id(*parent)),
            adjacent_parent_shard_id: info.parents.get(1).map(|parent| shard_id(*parent)),
            hash_key_range: HashKeyRange::from(&info),
            sequence_number_range: SequenceNumberRange {
                starting_sequence_number: Sequence::start(opened_secs, number).to_string(),
                ending_sequence_number: info.closed_ms.map(end),
            },
        }
    }
}

impl From<&Shard> for ChildShard {
    fn from(shard: &Shard) -> Self {
        let info = shard.info();
        Self {
            shard_id: shard_id(info.number),
            parent_shards: info.parents.iter().map(|parent| shard_id(*parent)).collect(),
            hash_key_range: HashKeyRange::from(&info),
        }
    }
}
