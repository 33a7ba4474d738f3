//! DescribeLimits, and what keeps streams within these limits where limits are enforced. They are AWS's defaults.

use serde::{Deserialize, Serialize};

use super::Call;
use crate::api_error::ApiError;
use crate::kinesis::lifecycle::Status;
use crate::kinesis::region::ACCOUNT;
use crate::kinesis::stream::StreamMode;

/// Shards of an account in the largest regions (quotas in the Kinesis developer guide).
const SHARD_LIMIT: usize = 20_000;
const ON_DEMAND_STREAM_LIMIT: usize = 50;
/// Streams that may be CREATING at a time (CreateStream in the Kinesis API reference).
const CREATING_LIMIT: usize = 5;

#[derive(Default, Deserialize)]
pub(super) struct Input {}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    shard_limit: usize,
    open_shard_count: usize,
    on_demand_stream_count: usize,
    on_demand_stream_count_limit: usize,
}

pub(super) fn run(call: &Call, _: Input) -> Result<Output, ApiError> {
    Ok(now(call))
}

fn now(call: &Call) -> Output {
    let streams = call.kinesis.streams_in(&call.region);
    let (on_demand, provisioned): (Vec<_>, Vec<_>) =
        streams.iter().partition(|stream| stream.settings().mode == StreamMode::OnDemand);
    Output {
        shard_limit: SHARD_LIMIT,
        open_shard_count: provisioned.iter().map(|stream| stream.topology().open().len()).sum(),
        on_demand_stream_count: on_demand.len(),
        on_demand_stream_count_limit: ON_DEMAND_STREAM_LIMIT,
    }
}

/// Refuses shards of provisioned streams that the account may not have.
pub(super) fn must_allow_shards(call: &Call, additional: usize) -> Result<(), ApiError> {
    let Output { open_shard_count, .. } = now(call);
    if !call.kinesis.limits().are_enforced() || open_shard_count + additional <= SHARD_LIMIT {
        return Ok(());
    }
    Err(ApiError::limit_exceeded(format!(
        "This request would exceed the shard limit for the account {ACCOUNT} in {}. Current shard count for the account: \
         {open_shard_count}. Limit: {SHARD_LIMIT}. Number of additional shards that would have resulted from this \
         request: {additional}. Refer to the AWS Service Limits page \
         (https://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) for current limits and how to request \
         higher limits.",
        call.region
    )))
}

/// Refuses a stream that the account may not have, or not yet.
pub(super) fn must_allow_stream(call: &Call, on_demand: bool) -> Result<(), ApiError> {
    if !call.kinesis.limits().are_enforced() {
        return Ok(());
    }
    let streams = call.kinesis.streams_in(&call.region);
    if streams.iter().filter(|stream| stream.status() == Status::Creating).count() >= CREATING_LIMIT {
        return Err(ApiError::limit_exceeded(format!(
            "This request would exceed the limit of {CREATING_LIMIT} streams in CREATING status for the account \
             {ACCOUNT} in {}.",
            call.region
        )));
    }
    if on_demand && now(call).on_demand_stream_count >= ON_DEMAND_STREAM_LIMIT {
        return Err(ApiError::limit_exceeded(format!(
            "This request would exceed the limit of {ON_DEMAND_STREAM_LIMIT} on-demand streams for the account {ACCOUNT} \
             in {}.",
            call.region
        )));
    }
    Ok(())
}
