//! A lease, and the sessions of an application, as JSON documents, for stores whose rows are text. Attributes it does not know, from a newer version, are kept.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use millstream_kinesis::{HashKeyRange, ShardId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::StoreError;
use crate::{Lease, Sessions};

/// The KCL's attributes; a checkpoint is `sequence:sub` or one of its words.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document {
    lease_owner: Option<String>,
    checkpoint_owner: Option<String>,
    lease_counter: u64,
    owner_switches_since_checkpoint: u64,
    checkpoint: String,
    latest_since_millis: Option<i64>,
    pending_checkpoint: Option<String>,
    pending_checkpoint_state: Option<Vec<u8>>,
    parent_shard_ids: Vec<String>,
    child_shard_ids: Vec<String>,
    starting_hash_key: Option<String>,
    ending_hash_key: Option<String>,
    #[serde(rename = "throughputKBps")]
    throughput: Option<String>,
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

impl Document {
    pub(super) fn of(lease: &Lease) -> Self {
        let ids = |shards: &[ShardId]| shards.iter().map(ToString::to_string).collect();
        Document {
            lease_owner: lease.owner.clone(),
            checkpoint_owner: lease.checkpoint_owner.clone(),
            lease_counter: lease.counter,
            owner_switches_since_checkpoint: lease.owner_switches,
            checkpoint: lease.checkpoint.to_string(),
            latest_since_millis: lease.latest_since_ms,
            pending_checkpoint: lease.pending_checkpoint.as_ref().map(ToString::to_string),
            pending_checkpoint_state: lease.pending_state.clone(),
            parent_shard_ids: ids(&lease.parents),
            child_shard_ids: ids(&lease.children),
            starting_hash_key: lease.hash_range.map(|range| range.start.to_string()),
            ending_hash_key: lease.hash_range.map(|range| range.end.to_string()),
            throughput: lease.throughput.map(|throughput| throughput.to_string()),
            unknown: Map::new(),
        }
    }

    /// The document of a changed lease.
    pub(super) fn with(self, lease: &Lease) -> Self {
        Document { unknown: self.unknown, ..Document::of(lease) }
    }

    pub(super) fn to_text(&self) -> String {
        // Names and plain values: this does not fail. A row without a document would be told of by whoever reads it.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The document of a row, and the lease it is of.
    pub(super) fn read(table: &str, key: &str, text: &str) -> Result<(Self, Lease), StoreError> {
        let read = || {
            let document: Document = serde_json::from_str(text).map_err(|error| error.to_string())?;
            let lease = document.lease(key)?;
            Ok((document, lease))
        };
        read().map_err(|problem| StoreError::BadItem { table: table.to_owned(), key: key.to_owned(), problem })
    }

    fn lease(&self, key: &str) -> Result<Lease, String> {
        let ids = |ids: &[String]| ids.iter().map(|id| id.as_str().into()).collect();
        let range = self.starting_hash_key.as_deref().zip(self.ending_hash_key.as_deref());
        Ok(Lease {
            key: key.to_owned(),
            owner: self.lease_owner.clone(),
            checkpoint_owner: self.checkpoint_owner.clone(),
            counter: self.lease_counter,
            owner_switches: self.owner_switches_since_checkpoint,
            checkpoint: parse("checkpoint", &self.checkpoint)?,
            latest_since_ms: self.latest_since_millis,
            pending_checkpoint: self
                .pending_checkpoint
                .as_deref()
                .map(|at| parse("pendingCheckpoint", at))
                .transpose()?,
            pending_state: self.pending_checkpoint_state.clone(),
            parents: ids(&self.parent_shard_ids),
            children: ids(&self.child_shard_ids),
            hash_range: match range {
                Some((start, end)) => {
                    Some(HashKeyRange { start: parse("startingHashKey", start)?, end: parse("endingHashKey", end)? })
                }
                None => None,
            },
            throughput: self.throughput.as_deref().map(|kbps| parse("throughputKBps", kbps)).transpose()?,
        })
    }
}

/// The sessions of an application.
#[derive(Default, Serialize, Deserialize)]
struct SessionsDocument {
    versions: BTreeMap<String, String>,
    changes: u64,
}

pub(super) fn sessions_to_text(sessions: &Sessions) -> String {
    let document = SessionsDocument { versions: sessions.versions.clone(), changes: sessions.changes };
    serde_json::to_string(&document).unwrap_or_default()
}

/// Of the text that is stored; none: no worker has had a session yet.
pub(super) fn read_sessions(table: &str, text: Option<&str>) -> Result<Sessions, StoreError> {
    let document = text.map(serde_json::from_str::<SessionsDocument>).transpose();
    let document = document.map_err(|error| StoreError::BadItem {
        table: table.to_owned(),
        key: "the sessions".to_owned(),
        problem: error.to_string(),
    })?;
    let SessionsDocument { versions, changes } = document.unwrap_or_default();
    Ok(Sessions { versions, changes })
}

fn parse<T: FromStr<Err: Display>>(name: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|error| format!("`{name}`: {error}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const ROW: &str = r#"{"leaseCounter":4,"ownerSwitchesSinceCheckpoint":1,"checkpoint":"17:3","parentShardIds":["a"],
        "childShardIds":[],"throughputKBps":"1.500000","addedLater":{"x":[1]}}"#;

    #[test]
    fn what_a_newer_version_has_added_is_kept() {
        let (document, mut lease) = Document::read("app", "s", ROW).unwrap();
        assert_eq!((lease.counter, lease.checkpoint.to_string()), (4, "17:3".to_owned()));
        lease.counter = 5;
        let (document, changed) = Document::read("app", "s", &document.with(&lease).to_text()).unwrap();
        assert_eq!(changed, lease);
        assert_eq!(document.unknown["addedLater"]["x"][0], 1);
    }

    #[test]
    fn a_bad_document_is_named_with_what_is_wrong() {
        let bad = [
            (ROW.replace("17:3", "SOON"), "`checkpoint`: `SOON`"),
            ("{}".to_owned(), "missing field"),
            (String::new(), "EOF"),
        ];
        for (text, expected) in bad {
            let Err(error) = Document::read("app", "s", &text) else { panic!("{text} was read") };
            assert!(error.to_string().contains(expected) && error.to_string().contains("row `s`"), "{error}");
        }
    }
}
