//! SplitShard.

use serde::Deserialize;

use super::{Call, describe_limits, stream_word, text};
use crate::api_error::ApiError;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::input::Word;
use crate::kinesis::position::shard_number_in;
use crate::kinesis::region::ACCOUNT;
use crate::kinesis::reshard::{Range, Reshard};
use crate::kinesis::shard::Shard;
use crate::kinesis::stream::{Stream, StreamMode, shard_id};

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Input {
    new_starting_hash_key: Option<Word>,
    stream_name: Option<Word>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<Word>,
    stream_id: Option<Word>,
    shard_to_split: Option<Word>,
}

pub(super) fn run(call: &Call, input: Input) -> Result<(), ApiError> {
    let (name, arn) = (text(input.stream_name.as_ref()), text(input.stream_arn.as_ref()));
    let id = text(input.stream_id.as_ref());
    let (key, shard) = (text(input.new_starting_hash_key.as_ref()), text(input.shard_to_split.as_ref()));
    let mut check = Constraints::default();
    check.required("newStartingHashKey", key.is_some());
    check.hash_key("newStartingHashKey", key);
    check.stream(name, arn, id);
    check.required_name("shardToSplit", shard);
    check.satisfied()?;

    shard_number_in(stream_word([name, arn, id]), shard.unwrap_or_default())?;
    let stream = call.stream(name, arn, id)?;
    let shard = stream.shard(shard.unwrap_or_default())?;
    let key = key.unwrap_or_default();
    call.kinesis.reshard(&stream, || {
        let info = shard.info();
        // A key of 39 digits may be above the last one, too.
        let middle =
            key.parse::<u128>().ok().filter(|key| *key > info.start_hash.saturating_add(1) && *key < info.end_hash);
        let Some(middle) = middle else {
            return Err(ApiError::invalid_argument(format!(
                "NewStartingHashKey {key} used in SplitShard() on shard {} in stream {} under account {ACCOUNT} is not \
                 both greater than one plus the shard's StartingHashKey {} and less than the shard's EndingHashKey {}.",
                shard_id(info.number),
                stream.name(),
                info.start_hash,
                info.end_hash,
            )));
        };
        must_be_open(&stream, &shard)?;
        if stream.settings().mode == StreamMode::Provisioned {
            describe_limits::must_allow_shards(call, 1)?;
        }
        let low = Range { start: info.start_hash, end: middle - 1 };
        let high = Range { start: middle, end: info.end_hash };
        Ok(vec![Reshard { closing: vec![info.number], children: vec![low, high] }])
    })
}

/// A shard is split or merged once.
pub(super) fn must_be_open(stream: &Stream, shard: &Shard) -> Result<(), ApiError> {
    if shard.closed_ms().is_none() {
        return Ok(());
    }
    Err(ApiError::invalid_argument(format!(
        "Shard {} in stream {} under account {ACCOUNT} has already been merged or split, and thus is not eligible for \
         merging or splitting.",
        shard_id(shard.number()),
        stream.name(),
    )))
}
