//! UpdateShardCount: splits and merges until the open shards divide the hash keys evenly.

use serde::{Deserialize, Serialize};

use super::named::Named;
use super::{Call, describe_limits, text};
use crate::api_error::ApiError;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::input::{Integer, Word};
use crate::kinesis::region::ACCOUNT;
use crate::kinesis::reshard::{Range, uniform};
use crate::kinesis::stream::StreamMode;

/// Open shards that a stream can be scaled to (UpdateShardCount in the Kinesis API reference).
const MOST_SHARDS: usize = 10_000;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Input {
    #[serde(flatten)]
    stream: Named,
    target_shard_count: Option<Integer>,
    scaling_type: Option<Word>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    stream_name: String,
    #[serde(rename = "StreamARN")]
    stream_arn: String,
    current_shard_count: usize,
    target_shard_count: usize,
}

pub(super) fn run(call: &Call, input: Input) -> Result<Output, ApiError> {
    let scaling_type = text(input.scaling_type.as_ref());
    let mut check = Constraints::default();
    check.required("scalingType", scaling_type.is_some());
    check.one_of("scalingType", scaling_type, &["UNIFORM_SCALING"]);
    check.required("targetShardCount", input.target_shard_count.is_some());
    check.range("targetShardCount", input.target_shard_count.map(|count| count.0), 1, i64::MAX);
    input.stream.check(&mut check);
    check.satisfied()?;

    let stream = input.stream.find(call)?;
    let target = input.target_shard_count.and_then(|count| u32::try_from(count.0).ok()).unwrap_or(1);
    let mut current = 0;
    call.kinesis.reshard(&stream, || {
        if stream.settings().mode == StreamMode::OnDemand {
            return Err(ApiError::validation(format!(
                "Request is invalid. Stream {} under account {ACCOUNT} is in On-Demand mode.",
                stream.name()
            )));
        }
        let topology = stream.topology();
        current = topology.open().len();
        must_be_in_reach(current, target as usize)?;
        describe_limits::must_allow_shards(call, (target as usize).saturating_sub(current))?;
        let open = topology.open().map(|shard| {
            let info = shard.info();
            (info.number, Range { start: info.start_hash, end: info.end_hash })
        });
        let next = u32::try_from(topology.shards().len()).unwrap_or(u32::MAX);
        Ok(uniform(open.collect(), next, target))
    })?;
    Ok(Output {
        stream_name: stream.name().to_owned(),
        stream_arn: stream.arn().to_owned(),
        current_shard_count: current,
        target_shard_count: target as usize,
    })
}

fn must_be_in_reach(current: usize, target: usize) -> Result<(), ApiError> {
    let problem = if target > MOST_SHARDS {
        "Target shard count or number of open shards cannot be greater than 10000."
    } else if target > current * 2 {
        "UpdateShardCount cannot scale up over double your current open shard count."
    } else if target * 2 < current {
        "UpdateShardCount cannot scale down below half your current open shard count."
    } else {
        return Ok(());
    };
    let counts = format!("Current open shard count: {current}, Target shard count: {target}");
    Err(ApiError::limit_exceeded(format!("{problem} {counts}")))
}
