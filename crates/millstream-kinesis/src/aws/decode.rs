//! The SDK's types in the words of this crate. Answers are checked: what is missing or malformed is an error.

use std::sync::Arc;

use aws_sdk_kinesis::types;
use aws_smithy_types::DateTime;

use crate::{
    BlockBuilder, ChildShard, HashKeyRange, KinesisError, Pushed, PutOutcome, RecordBlock, SequenceNumber, Shard,
    ShardId, StreamConsumer,
};

pub(super) fn event(
    event: types::SubscribeToShardEvent,
    stream: &Arc<str>,
    shard: &ShardId,
) -> Result<Pushed, KinesisError> {
    let continuation = event.continuation_sequence_number;
    Ok(Pushed {
        block: block(&event.records, Arc::clone(stream), shard)?,
        // The SDK makes an empty text of a number that is not there.
        continuation: (!continuation.is_empty()).then(|| continuation.parse()).transpose().map_err(malformed)?,
        millis_behind: event.millis_behind_latest,
        children: children(event.child_shards)?,
    })
}

fn block(records: &[types::Record], stream: Arc<str>, shard: &ShardId) -> Result<RecordBlock, KinesisError> {
    let mut builder = BlockBuilder::new(stream, shard.clone());
    for record in records {
        let sequence: SequenceNumber = record.sequence_number.parse().map_err(malformed)?;
        let arrival_ms = record.approximate_arrival_timestamp.as_ref().map_or(0, millis);
        builder.push(
            record.data.as_ref(),
            // Streams that ignore partition keys (`AUTO` distribution) may return none.
            record.partition_key.as_deref().unwrap_or(""),
            sequence.as_str(),
            0,
            arrival_ms,
        );
    }
    Ok(builder.finish())
}

/// To the nearest millisecond: the wire has a binary fraction of a second, which may lie just below.
fn millis(time: &DateTime) -> i64 {
    let fraction = (i64::from(time.subsec_nanos()) + 500_000) / 1_000_000;
    time.secs().saturating_mul(1_000).saturating_add(fraction)
}

pub(super) fn shard(shard: types::Shard) -> Result<Shard, KinesisError> {
    let range = shard.sequence_number_range.ok_or_else(|| missing("SequenceNumberRange"))?;
    let parents = shard.parent_shard_id.into_iter().chain(shard.adjacent_parent_shard_id);
    Ok(Shard {
        id: shard.shard_id.into(),
        parents: parents.map(ShardId::from).collect(),
        hash_range: hash_range(shard.hash_key_range)?,
        first: range.starting_sequence_number.parse().map_err(malformed)?,
        last: match range.ending_sequence_number {
            Some(last) => Some(last.parse().map_err(malformed)?),
            None => None,
        },
    })
}

fn children(children: Option<Vec<types::ChildShard>>) -> Result<Vec<ChildShard>, KinesisError> {
    children.into_iter().flatten().map(child).collect()
}

fn child(child: types::ChildShard) -> Result<ChildShard, KinesisError> {
    Ok(ChildShard {
        id: child.shard_id.into(),
        parents: child.parent_shards.into_iter().map(ShardId::from).collect(),
        hash_range: hash_range(child.hash_key_range)?,
    })
}

fn hash_range(range: Option<types::HashKeyRange>) -> Result<HashKeyRange, KinesisError> {
    let range = range.ok_or_else(|| missing("HashKeyRange"))?;
    Ok(HashKeyRange {
        start: range.starting_hash_key.parse().map_err(malformed)?,
        end: range.ending_hash_key.parse().map_err(malformed)?,
    })
}

pub(super) fn consumer(arn: String, status: &types::ConsumerStatus) -> StreamConsumer {
    StreamConsumer { arn, is_active: *status == types::ConsumerStatus::Active }
}

pub(super) fn outcome(entry: types::PutRecordsResultEntry) -> Result<PutOutcome, KinesisError> {
    match (entry.shard_id, entry.sequence_number, entry.error_code) {
        (Some(shard), Some(sequence), None) => {
            Ok(PutOutcome::Accepted { shard: shard.into(), sequence: sequence.parse().map_err(malformed)? })
        }
        (_, _, Some(code)) => Ok(PutOutcome::Rejected { code, message: entry.error_message.unwrap_or_default() }),
        _ => Err(missing("SequenceNumber")),
    }
}

fn missing(field: &str) -> KinesisError {
    malformed(format!("`{field}` is missing"))
}

pub(super) fn malformed(why: impl ToString) -> KinesisError {
    KinesisError::Service { code: "a malformed response".to_owned(), message: why.to_string(), transient: false }
}
