//! A lease as a row: the attributes of the KCL's `DynamoDBLeaseSerializer`.

use std::collections::HashMap;
use std::str::FromStr;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use millstream_kinesis::{Checkpoint, HashKeyRange, ShardId};

use super::StoreError;
use crate::{Lease, Throughput};

pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) const LEASE_KEY: &str = "leaseKey";

/// What a row is, since KCL 3.5; written with a new row only.
pub(super) const ENTITY_TYPE: &str = "entityType";
pub(super) const LEASE: &str = "LEASE";

/// Not the KCL's: see [`Lease::latest_since_ms`].
pub(super) const LATEST_SINCE: &str = "millstreamLatestSinceMillis";

pub(super) fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

pub(super) fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// Never call it with no shards: DynamoDB knows no empty set.
pub(super) fn shard_set(shards: &[ShardId]) -> AttributeValue {
    AttributeValue::Ss(shards.iter().map(ToString::to_string).collect())
}

pub(super) fn key_attribute(key: &str) -> AttributeValue {
    text(key)
}

/// Whether a row is a lease: the KCL 3.5 keeps other things in the same table, and so may others.
pub(super) fn is_lease(item: &Item) -> bool {
    match item.get(ENTITY_TYPE) {
        None => item.contains_key("leaseCounter") || item.contains_key("checkpoint"),
        Some(kind) => kind.as_s().is_ok_and(|kind| kind == LEASE),
    }
}

/// The row of a new lease.
pub(super) fn to_item(lease: &Lease) -> Item {
    let mut item = HashMap::new();
    let mut put = |name: &str, value| item.insert(name.to_owned(), value);
    put(LEASE_KEY, key_attribute(&lease.key));
    put(ENTITY_TYPE, text(LEASE));
    put("leaseCounter", number(lease.counter));
    put("ownerSwitchesSinceCheckpoint", number(lease.owner_switches));
    put("checkpoint", text(lease.checkpoint.word()));
    put("checkpointSubSequenceNumber", number(lease.checkpoint.sub()));
    if let Some(owner) = &lease.owner {
        put("leaseOwner", text(owner));
    }
    if let Some(reader) = &lease.checkpoint_owner {
        put("checkpointOwner", text(reader));
    }
    if let Some(since) = lease.latest_since_ms {
        put(LATEST_SINCE, AttributeValue::N(since.to_string()));
    }
    if let Some(pending) = &lease.pending_checkpoint {
        put("pendingCheckpoint", text(pending.word()));
        put("pendingCheckpointSubSequenceNumber", number(pending.sub()));
    }
    if let Some(state) = &lease.pending_state {
        put("pendingCheckpointState", AttributeValue::B(Blob::new(state.as_slice())));
    }
    if !lease.stream().is_empty() {
        put("streamName", text(lease.stream()));
        put("shardId", text(lease.shard()));
    }
    if let Some(throughput) = lease.throughput {
        put("throughputKBps", AttributeValue::N(throughput.to_string()));
    }
    if !lease.parents.is_empty() {
        put("parentShardId", shard_set(&lease.parents));
    }
    if !lease.children.is_empty() {
        put("childShardIds", shard_set(&lease.children));
    }
    if let Some(range) = &lease.hash_range {
        put("startingHashKey", text(&range.start.to_string()));
        put("endingHashKey", text(&range.end.to_string()));
    }
    item
}

/// The lease of a row.
pub(super) fn from_item(table: &str, item: &Item) -> Result<Lease, StoreError> {
    let row = Row { item };
    row.lease().map_err(|problem| StoreError::BadItem {
        table: table.to_owned(),
        key: row.text(LEASE_KEY).ok().flatten().unwrap_or("without a key").to_owned(),
        problem,
    })
}

struct Row<'a> {
    item: &'a Item,
}

impl<'a> Row<'a> {
    fn lease(&self) -> Result<Lease, String> {
        let owner = |name| Ok::<_, String>(self.text(name)?.map(str::to_owned));
        Ok(Lease {
            key: self.text(LEASE_KEY)?.ok_or("`leaseKey` is missing")?.to_owned(),
            owner: owner("leaseOwner")?,
            checkpoint_owner: owner("checkpointOwner")?,
            counter: self.number("leaseCounter")?.ok_or("`leaseCounter` is missing")?,
            owner_switches: self.number("ownerSwitchesSinceCheckpoint")?.unwrap_or(0),
            checkpoint: self
                .checkpoint("checkpoint", "checkpointSubSequenceNumber")?
                .ok_or("`checkpoint` is missing")?,
            latest_since_ms: self.number(LATEST_SINCE)?,
            pending_checkpoint: self.checkpoint("pendingCheckpoint", "pendingCheckpointSubSequenceNumber")?,
            // Java's `toDynamoRecord` writes a number here by mistake: that is no state.
            pending_state: self
                .item
                .get("pendingCheckpointState")
                .and_then(|value| Some(value.as_b().ok()?.as_ref().to_vec())),
            parents: self.shards("parentShardId")?,
            children: self.shards("childShardIds")?,
            hash_range: self.hash_range()?,
            throughput: self.throughput()?,
        })
    }

    fn text(&self, name: &str) -> Result<Option<&'a str>, String> {
        let wrong = |_| format!("`{name}` is not a string");
        self.item.get(name).map(|value| value.as_s().map(String::as_str).map_err(wrong)).transpose()
    }

    fn number<N: FromStr>(&self, name: &str) -> Result<Option<N>, String> {
        let Some(value) = self.item.get(name) else {
            return Ok(None);
        };
        let digits = value.as_n().map_err(|_| format!("`{name}` is not a number"))?;
        let number = digits.parse().map_err(|_| format!("`{name}` is {digits}, not a whole number in range"))?;
        Ok(Some(number))
    }

    fn throughput(&self) -> Result<Option<Throughput>, String> {
        let Some(value) = self.item.get("throughputKBps") else {
            return Ok(None);
        };
        let digits = value.as_n().map_err(|_| "`throughputKBps` is not a number")?;
        digits.parse().map(Some).map_err(|error| format!("`throughputKBps`: {error}"))
    }

    fn checkpoint(&self, word: &str, sub: &str) -> Result<Option<Checkpoint>, String> {
        let Some(text) = self.text(word)? else {
            return Ok(None);
        };
        let sub = self.number(sub)?.unwrap_or(0);
        let checkpoint = Checkpoint::from_parts(text, sub);
        checkpoint.map(Some).map_err(|error| format!("`{word}`: {error}"))
    }

    fn shards(&self, name: &str) -> Result<Vec<ShardId>, String> {
        let Some(value) = self.item.get(name) else {
            return Ok(Vec::new());
        };
        let set = value.as_ss().map_err(|_| format!("`{name}` is not a set of strings"))?;
        let mut shards: Vec<ShardId> = set.iter().map(|id| id.as_str().into()).collect();
        shards.sort();
        Ok(shards)
    }

    fn hash_range(&self) -> Result<Option<HashKeyRange>, String> {
        let (start, end) = (self.text("startingHashKey")?, self.text("endingHashKey")?);
        let (Some(start), Some(end)) = (start, end) else {
            return Ok(None);
        };
        Ok(Some(HashKeyRange {
            start: start.parse().map_err(|error| format!("`startingHashKey`: {error}"))?,
            end: end.parse().map_err(|error| format!("`endingHashKey`: {error}"))?,
        }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// As Java KCL 3.1.3 wrote it, with attributes that only newer and older ones have.
    fn java_row() -> Item {
        let digits = "49680485150637352251675723497566702559855099864716148738";
        let texts = [
            ("leaseKey", "shardId-000000000000"),
            ("leaseOwner", "java-1"),
            ("checkpoint", digits),
            ("startingHashKey", "0"),
            ("endingHashKey", "113427455640312821154458202477256070484"),
            ("pendingCheckpoint", "SHARD_END"),
            ("entityType", "LEASE"),
        ];
        let numbers = [
            ("leaseCounter", "40"),
            ("checkpointSubSequenceNumber", "2"),
            ("ownerSwitchesSinceCheckpoint", "0"),
            ("throughputKBps", "4.6E-5"),
        ];
        let texts = texts.map(|(name, value)| (name.to_owned(), text(value)));
        let numbers = numbers.map(|(name, value)| (name.to_owned(), AttributeValue::N(value.into())));
        texts.into_iter().chain(numbers).collect()
    }

    #[test]
    fn a_row_of_the_java_kcl_is_read() {
        let lease = from_item("t", &java_row()).unwrap();
        assert_eq!(lease.owner.as_deref(), Some("java-1"));
        assert_eq!((lease.counter, lease.checkpoint.sub()), (40, 2));
        assert_eq!(lease.pending_checkpoint, Some(Checkpoint::ShardEnd));
        assert!(lease.parents.is_empty() && lease.hash_range.is_some());
        assert_eq!(lease.throughput.unwrap().to_string(), "0.000046");
        assert_eq!((lease.stream(), lease.shard()), ("", "shardId-000000000000"));
    }

    #[test]
    fn a_new_row_is_read_back_as_written() {
        let mut lease = from_item("t", &java_row()).unwrap();
        lease.parents = vec!["a".into(), "b".into()];
        lease.children = vec!["c".into()];
        lease.checkpoint_owner = Some("java-2".into());
        lease.latest_since_ms = Some(1_795_421_671_032);
        lease.pending_state = Some(vec![1, 0, 255]);
        assert_eq!(from_item("t", &to_item(&lease)).unwrap(), lease);
    }

    #[test]
    fn a_lease_of_one_of_several_streams_names_both() {
        let mut lease = from_item("t", &java_row()).unwrap();
        lease.key = "123456789012:orders:1700000000:shardId-000000000007".into();
        assert_eq!((lease.stream(), lease.shard()), ("123456789012:orders:1700000000", "shardId-000000000007"));
        let row = to_item(&lease);
        assert_eq!(row["streamName"], text("123456789012:orders:1700000000"));
        assert_eq!(row["shardId"], text("shardId-000000000007"));
        assert_eq!(from_item("t", &row).unwrap(), lease);
    }

    #[test]
    fn a_number_that_java_wrote_for_a_prepared_state_is_no_state() {
        let mut row = java_row();
        row.insert("pendingCheckpointState".into(), number(4));
        assert_eq!(from_item("t", &row).unwrap().pending_state, None);
    }

    #[test]
    fn rows_of_other_kinds_are_no_leases() {
        let mut row = java_row();
        assert!(is_lease(&row));
        row.insert("entityType".into(), text("WORKER_METRIC_STATS"));
        assert!(!is_lease(&row));
        row.remove("entityType");
        assert!(is_lease(&row));
        row.remove("checkpoint");
        assert!(is_lease(&row), "a lease that lacks something is told of, not passed over");
        row.remove("leaseCounter");
        assert!(!is_lease(&row));
    }

    #[test]
    fn a_bad_row_is_named_with_what_is_wrong() {
        let cases = [
            ("leaseCounter", text("40"), "`leaseCounter` is not a number"),
            ("leaseCounter", AttributeValue::N("4.5".into()), "`leaseCounter` is 4.5"),
            ("checkpoint", text("SOON"), "`SOON` is not a checkpoint"),
            ("parentShardId", text("s"), "`parentShardId` is not a set of strings"),
            ("endingHashKey", text("-1"), "`endingHashKey`"),
        ];
        for (name, value, expected) in cases {
            let mut row = java_row();
            row.insert(name.into(), value);
            let message = from_item("apps", &row).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
            assert!(message.contains("shardId-000000000000") && message.contains("apps"));
        }
    }
}
