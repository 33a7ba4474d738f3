//! Every conditional change of a lease row: the KCL's conditions (`DynamoDBLeaseSerializer`), as expressions.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use millstream_kinesis::{Checkpoint, ShardId};

use super::item::{LATEST_SINCE, number, shard_set, text};
use crate::Lease;

/// The condition of a creation.
pub(super) const KEY_IS_NEW: &str = "attribute_not_exists(leaseKey)";

/// The condition of a deletion: of the lease that was seen, and of nothing else.
pub(super) const IS_GONE_OR_UNMOVED: &str = "attribute_not_exists(leaseKey) OR leaseCounter = :counter";

/// An `UpdateItem`. Attributes that it does not name stay as they are.
#[derive(Debug, PartialEq)]
pub(super) struct Update {
    pub(super) condition: &'static str,
    pub(super) update: String,
    pub(super) names: Vec<(&'static str, &'static str)>,
    pub(super) values: Vec<(&'static str, AttributeValue)>,
}

impl Update {
    fn new(condition: &'static str, update: impl Into<String>, values: Vec<(&'static str, AttributeValue)>) -> Self {
        Update { condition, update: update.into(), names: Vec::new(), values }
    }

    /// The condition on `checkpointOwner` tells the owner of a handoff asked for since.
    pub(super) fn renew(held: &Lease) -> Self {
        let mut update = "SET leaseCounter = :next".to_owned();
        let mut values = counters(held);
        set_throughput(held, &mut update, &mut values);
        match &held.checkpoint_owner {
            None => Update::new("leaseCounter = :counter AND attribute_not_exists(checkpointOwner)", update, values),
            Some(reader) => {
                values.push((":reader", text(reader)));
                Update::new("leaseCounter = :counter AND checkpointOwner = :reader", update, values)
            }
        }
    }

    pub(super) fn take(seen: &Lease, me: &str) -> Self {
        let mut update = "SET leaseOwner = :me, leaseCounter = :next REMOVE checkpointOwner".to_owned();
        let mut values = counters(seen);
        values.push((":me", text(me)));
        if seen.actual_owner() != Some(me) {
            update += " ADD ownerSwitchesSinceCheckpoint :one";
            values.push((":one", number(1)));
        }
        Update::new("leaseCounter = :counter", update, values)
    }

    /// The counter is left to the old owner, who goes on renewing.
    pub(super) fn request_handoff(seen: &Lease, me: &str) -> Option<Self> {
        let old = seen.owner.as_deref()?;
        Some(Update::new(
            "leaseOwner = :old AND attribute_not_exists(checkpointOwner)",
            "SET leaseOwner = :me, checkpointOwner = :old",
            vec![(":old", text(old)), (":me", text(me))],
        ))
    }

    pub(super) fn complete_handoff(held: &Lease) -> Option<Self> {
        let (next, reader) = (held.owner.as_deref()?, held.checkpoint_owner.as_deref()?);
        Some(Update::new(
            "leaseOwner = :next AND checkpointOwner = :reader",
            "REMOVE checkpointOwner ADD leaseCounter :one, ownerSwitchesSinceCheckpoint :one",
            vec![(":next", text(next)), (":reader", text(reader)), (":one", number(1))],
        ))
    }

    /// The counter is left to the old owner, as when it was asked.
    pub(super) fn withdraw_handoff(seen: &Lease) -> Option<Self> {
        let (next, reader) = (seen.owner.as_deref()?, seen.checkpoint_owner.as_deref()?);
        Some(Update::new(
            "leaseOwner = :next AND checkpointOwner = :reader",
            "SET leaseOwner = :reader REMOVE checkpointOwner",
            vec![(":next", text(next)), (":reader", text(reader))],
        ))
    }

    pub(super) fn release(held: &Lease) -> Option<Self> {
        let mut values = counters(held);
        values.push((":owner", text(held.owner.as_deref()?)));
        Some(Update::new(
            "leaseCounter = :counter AND leaseOwner = :owner AND attribute_not_exists(checkpointOwner)",
            "SET leaseCounter = :next REMOVE leaseOwner",
            values,
        ))
    }

    pub(super) fn prepare(held: &Lease, pending: &Checkpoint, state: Option<&[u8]>) -> Self {
        let mut update =
            "SET leaseCounter = :next, pendingCheckpoint = :pending, pendingCheckpointSubSequenceNumber = :sub"
                .to_owned();
        let mut values = counters(held);
        values.push((":pending", text(pending.word())));
        values.push((":sub", number(pending.sub())));
        match state {
            Some(state) => {
                update += ", pendingCheckpointState = :state";
                values.push((":state", AttributeValue::B(Blob::new(state))));
            }
            None => update += " REMOVE pendingCheckpointState",
        }
        Update::new("leaseCounter = :counter", update, values)
    }

    pub(super) fn checkpoint(held: &Lease, checkpoint: &Checkpoint, children: &[ShardId]) -> Self {
        let mut set = "SET leaseCounter = :next, #checkpoint = :checkpoint, \
                       checkpointSubSequenceNumber = :sub, ownerSwitchesSinceCheckpoint = :zero"
            .to_owned();
        let mut values = counters(held);
        values.push((":checkpoint", text(checkpoint.word())));
        values.push((":sub", number(checkpoint.sub())));
        values.push((":zero", number(0)));
        if !children.is_empty() {
            set += ", childShardIds = :children";
            values.push((":children", shard_set(children)));
        }
        set_throughput(held, &mut set, &mut values);
        let remove = " REMOVE pendingCheckpoint, pendingCheckpointSubSequenceNumber, pendingCheckpointState";
        let mut update = Update::new("leaseCounter = :counter", set + remove, values);
        update.names.push(("#checkpoint", "checkpoint"));
        update
    }

    pub(super) fn reset(seen: &Lease, to: &Lease) -> Self {
        let mut set = "SET leaseCounter = :next, #checkpoint = :checkpoint, \
                       checkpointSubSequenceNumber = :sub, ownerSwitchesSinceCheckpoint = :zero"
            .to_owned();
        let mut remove = " REMOVE leaseOwner, checkpointOwner, \
                          pendingCheckpoint, pendingCheckpointSubSequenceNumber, pendingCheckpointState"
            .to_owned();
        let mut values = counters(seen);
        values.push((":checkpoint", text(to.checkpoint.word())));
        values.push((":sub", number(to.checkpoint.sub())));
        values.push((":zero", number(0)));
        match to.latest_since_ms {
            Some(since) => {
                set += ", #since = :since";
                values.push((":since", AttributeValue::N(since.to_string())));
            }
            None => remove += ", #since",
        }
        if to.children.is_empty() {
            remove += ", childShardIds";
        } else {
            set += ", childShardIds = :children";
            values.push((":children", shard_set(&to.children)));
        }
        let mut update = Update::new("leaseCounter = :counter", set + &remove, values);
        update.names.push(("#checkpoint", "checkpoint"));
        update.names.push(("#since", LATEST_SINCE));
        update
    }
}

/// The KCL writes it with a renewal; where checkpoints come so often that there is none, they bring it.
fn set_throughput(held: &Lease, set: &mut String, values: &mut Vec<(&'static str, AttributeValue)>) {
    if let Some(throughput) = held.throughput {
        set.push_str(", throughputKBps = :throughput");
        values.push((":throughput", AttributeValue::N(throughput.to_string())));
    }
}

fn counters(lease: &Lease) -> Vec<(&'static str, AttributeValue)> {
    vec![(":counter", number(lease.counter)), (":next", number(lease.counter + 1))]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Throughput;
    use millstream_kinesis::{HashKeyRange, Shard};

    fn lease() -> Lease {
        let shard = Shard {
            id: "s0".into(),
            parents: Vec::new(),
            hash_range: HashKeyRange::ALL,
            first: 1u128.into(),
            last: None,
        };
        Lease { counter: 7, owner: Some("a".into()), ..Lease::of_shard(&shard, Checkpoint::Latest) }
    }

    /// DynamoDB refuses a request with a value or a name that its expressions do not use, and the reverse.
    #[test]
    fn every_value_is_used_and_every_use_has_a_value() {
        let free = Lease { owner: None, ..lease() };
        let leaving = Lease { owner: Some("b".into()), checkpoint_owner: Some("a".into()), ..lease() };
        let measured = Lease { throughput: Some(Throughput::measured(7, 1_000)), ..lease() };
        let at = Checkpoint::from_parts("12", 3).unwrap();
        let updates = [
            Update::renew(&lease()),
            Update::renew(&leaving),
            Update::renew(&measured),
            Update::checkpoint(&measured, &at, &["s1".into()]),
            Update::take(&free, "me"),
            Update::take(&lease(), "a"),
            Update::request_handoff(&lease(), "b").unwrap(),
            Update::complete_handoff(&leaving).unwrap(),
            Update::withdraw_handoff(&leaving).unwrap(),
            Update::release(&lease()).unwrap(),
            Update::prepare(&lease(), &at, Some(b"state")),
            Update::prepare(&lease(), &at, None),
            Update::checkpoint(&lease(), &at, &[]),
            Update::reset(&lease(), &Lease { latest_since_ms: Some(5), ..lease() }),
            Update::reset(&lease(), &Lease { children: vec!["s1".into()], ..lease() }),
            Update::checkpoint(&lease(), &Checkpoint::ShardEnd, &["s1".into(), "s2".into()]),
        ];
        for update in updates {
            let all = format!("{} {}", update.condition, update.update);
            let is_word = |byte: char| byte.is_alphanumeric() || ":#".contains(byte);
            let mut used: Vec<&str> =
                all.split(|byte| !is_word(byte)).filter(|word| word.starts_with([':', '#'])).collect();
            let mut given: Vec<&str> = update.values.iter().map(|(name, _)| *name).collect();
            given.extend(update.names.iter().map(|(name, _)| *name));
            used.sort_unstable();
            used.dedup();
            given.sort_unstable();
            assert_eq!(used, given, "{all}");
        }
    }

    #[test]
    fn what_nobody_owns_is_neither_asked_for_nor_released() {
        let free = Lease { owner: None, ..lease() };
        assert_eq!(Update::request_handoff(&free, "me"), None);
        assert_eq!(Update::release(&free), None);
        assert_eq!(Update::complete_handoff(&lease()), None);
    }
}
