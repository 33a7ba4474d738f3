//! DescribeStream.

use serde::{Deserialize, Serialize};

use super::{Call, text};
use crate::api_error::ApiError;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::input::{Integer, Word};
use crate::kinesis::output::{ShardOutput, StreamDetails, StreamOutput};
use crate::kinesis::stream::shard_number;

/// Shards in an answer that does not say how many.
const DEFAULT_LIMIT: usize = 100;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Input {
    limit: Option<Integer>,
    exclusive_start_shard_id: Option<Word>,
    stream_name: Option<Word>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<Word>,
    stream_id: Option<Word>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    stream_description: StreamDescription,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct StreamDescription {
    #[serde(flatten)]
    stream: StreamOutput,
    #[serde(flatten)]
    details: StreamDetails,
    shards: Vec<ShardOutput>,
    has_more_shards: bool,
}

pub(super) fn run(call: &Call, input: Input) -> Result<Output, ApiError> {
    let (name, arn) = (text(input.stream_name.as_ref()), text(input.stream_arn.as_ref()));
    let id = text(input.stream_id.as_ref());
    let after = text(input.exclusive_start_shard_id.as_ref());
    let mut check = Constraints::default();
    check.range("limit", input.limit.map(|limit| limit.0), 1, 10_000);
    check.name("exclusiveStartShardId", after);
    check.stream(name, arn, id);
    check.satisfied()?;

    let stream = call.stream(name, arn, id)?;
    let first = after.and_then(shard_number).map_or(0, |number| number as usize + 1);
    let limit = input.limit.and_then(|limit| usize::try_from(limit.0).ok()).unwrap_or(DEFAULT_LIMIT);
    let mut rest = stream.visible_shards();
    rest.retain(|shard| shard.number() as usize >= first);
    Ok(Output {
        stream_description: StreamDescription {
            stream: StreamOutput::from(&*stream),
            details: StreamDetails::from(&*stream),
            shards: rest.iter().take(limit).map(|shard| ShardOutput::from(&**shard)).collect(),
            has_more_shards: rest.len() > limit,
        },
    })
}
