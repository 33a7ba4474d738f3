//! DescribeLimits. The limits are AWS's defaults and are not enforced.

use serde::{Deserialize, Serialize};

use super::Call;
use crate::api_error::ApiError;
use crate::kinesis::stream::StreamMode;

/// Shards of an account in the largest regions (quotas in the Kinesis developer guide).
const SHARD_LIMIT: usize = 20_000;
const ON_DEMAND_STREAM_LIMIT: usize = 50;

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
    let streams = call.kinesis.streams_in(&call.region);
    let (on_demand, provisioned): (Vec<_>, Vec<_>) =
        streams.iter().partition(|stream| stream.settings().mode == StreamMode::OnDemand);
    Ok(Output {
        shard_limit: SHARD_LIMIT,
        open_shard_count: provisioned.iter().map(|stream| stream.topology().open().len()).sum(),
        on_demand_stream_count: on_demand.len(),
        on_demand_stream_count_limit: ON_DEMAND_STREAM_LIMIT,
    })
}
