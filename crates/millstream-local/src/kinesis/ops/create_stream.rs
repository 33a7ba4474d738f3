//! CreateStream.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    Call, describe_limits, text, update_stream_record_distribution_strategy as record_distribution,
    update_stream_warm_throughput as warm_throughput,
};
use crate::api_error::ApiError;
use crate::kinesis::changes::NewStream;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::input::{Integer, Structure, Word};
use crate::kinesis::stream::StreamMode;
use crate::kinesis::tags::{self, TagMap};

/// Open shards of a new on-demand stream (CreateStream in the Kinesis API reference).
const ON_DEMAND_SHARDS: u32 = 4;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Input {
    stream_name: Option<Word>,
    shard_count: Option<Integer>,
    stream_mode_details: Option<Structure<StreamModeDetails>>,
    #[serde(rename = "MaxRecordSizeInKiB")]
    max_record_size_in_kib: Option<Integer>,
    #[serde(rename = "WarmThroughputMiBps")]
    warm_throughput_mibps: Option<Integer>,
    record_distribution_strategy: Option<Word>,
    tags: Option<TagMap>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct StreamModeDetails {
    stream_mode: Option<Word>,
}

pub(super) fn run(call: &Call, input: Input) -> Result<(), ApiError> {
    let mode = input.stream_mode_details.as_ref().map(|details| text(details.stream_mode.as_ref()));
    let on_demand = mode == Some(Some("ON_DEMAND"));
    let mut check = Constraints::default();
    check.required("shardCount", on_demand || input.shard_count.is_some());
    check.range("shardCount", input.shard_count.map(|count| count.0), 1, 100_000);
    check.required_name("streamName", text(input.stream_name.as_ref()));
    if let Some(mode) = mode {
        check.required("streamModeDetails.streamMode", mode.is_some());
        check.one_of("streamModeDetails.streamMode", mode, &["PROVISIONED", "ON_DEMAND"]);
    }
    check.range("maxRecordSizeInKiB", input.max_record_size_in_kib.map(|size| size.0), 1024, 10_240);
    record_distribution::check(&mut check, input.record_distribution_strategy.as_ref());
    if let Some(tags) = &input.tags {
        tags::check_map(&mut check, tags);
    }
    check.range("warmThroughputMiBps", input.warm_throughput_mibps.map(|throughput| throughput.0), 0, i64::MAX);
    check.satisfied()?;
    if on_demand && input.shard_count.is_some() {
        let message = "ShardCount cannot be specified for a stream in ON_DEMAND mode.";
        return Err(ApiError::validation(message));
    }

    let name = input.stream_name.map(|name| name.0).unwrap_or_default();
    if input.warm_throughput_mibps.is_some() {
        warm_throughput::must_be_allowed(call, &name, on_demand, input.warm_throughput_mibps)?;
    }
    let distribution = record_distribution::allowed(&name, on_demand, input.record_distribution_strategy.as_ref())?;
    let mut tags = BTreeMap::new();
    tags::add(&mut tags, input.tags.unwrap_or_default(), &name)?;
    describe_limits::must_allow_stream(call, on_demand)?;
    let number = |value: Option<Integer>| value.and_then(|value| u32::try_from(value.0).ok());
    let shards = number(input.shard_count);
    describe_limits::must_allow_shards(call, shards.unwrap_or(0) as usize)?;
    call.kinesis.create(
        &call.region,
        NewStream {
            name,
            mode: if on_demand { StreamMode::OnDemand } else { StreamMode::Provisioned },
            shards: shards.unwrap_or(ON_DEMAND_SHARDS),
            max_record_kib: number(input.max_record_size_in_kib).unwrap_or(1024),
            warm_throughput: number(input.warm_throughput_mibps),
            distribution,
            tags,
        },
    )
}
