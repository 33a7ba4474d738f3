//! MergeShards.

use serde::Deserialize;

use super::split_shard::must_be_open;
use super::{Call, stream_word, text};
use crate::api_error::ApiError;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::input::Word;
use crate::kinesis::position::shard_number_in;
use crate::kinesis::region::ACCOUNT;
use crate::kinesis::reshard::{Range, Reshard};
use crate::kinesis::stream::shard_id;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Input {
    shard_to_merge: Option<Word>,
    adjacent_shard_to_merge: Option<Word>,
    stream_name: Option<Word>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<Word>,
    stream_id: Option<Word>,
}

pub(super) fn run(call: &Call, input: Input) -> Result<(), ApiError> {
    let (name, arn) = (text(input.stream_name.as_ref()), text(input.stream_arn.as_ref()));
    let id = text(input.stream_id.as_ref());
    let (left, right) = (text(input.shard_to_merge.as_ref()), text(input.adjacent_shard_to_merge.as_ref()));
    let mut check = Constraints::default();
    check.required_name("shardToMerge", left);
    check.required_name("adjacentShardToMerge", right);
    check.stream(name, arn, id);
    check.satisfied()?;

    for shard in [left, right] {
        shard_number_in(stream_word([name, arn, id]), shard.unwrap_or_default())?;
    }
    let stream = call.stream(name, arn, id)?;
    let left = stream.shard(left.unwrap_or_default())?;
    let right = stream.shard(right.unwrap_or_default())?;
    call.kinesis.reshard(&stream, || {
        let (low, high) = (left.info(), right.info());
        if low.end_hash.checked_add(1) != Some(high.start_hash) {
            return Err(ApiError::invalid_argument(format!(
                "Shards {} and {} in stream {} under account {ACCOUNT} are not an adjacent pair of shards eligible for \
                 merging",
                shard_id(low.number),
                shard_id(high.number),
                stream.name(),
            )));
        }
        must_be_open(&stream, &left)?;
        must_be_open(&stream, &right)?;
        let child = Range { start: low.start_hash, end: high.end_hash };
        Ok(vec![Reshard { closing: vec![low.number, high.number], children: vec![child] }])
    })
}
