//! DescribeStreamSummary.
//!
//! The stream's id is not shown, nor does AWS show it (`StreamId` is "reserved for future use"): by AWS's endpoint rules
//! an SDK sends a request with an id to AWS, whatever endpoint it has been given, and KCL 3.5 passes on the id it is shown.

use serde::{Deserialize, Serialize};

use super::{Call, text};
use crate::api_error::ApiError;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::consumer::consumers_of;
use crate::kinesis::input::Word;
use crate::kinesis::output::{StreamDetails, StreamOutput, WarmThroughput};
use crate::kinesis::stream::{Distribution, StreamMode};

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Input {
    stream_name: Option<Word>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<Word>,
    stream_id: Option<Word>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    stream_description_summary: Summary,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    #[serde(flatten)]
    stream: StreamOutput,
    #[serde(flatten)]
    details: StreamDetails,
    open_shard_count: usize,
    consumer_count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    warm_throughput: Option<WarmThroughput>,
    #[serde(rename = "MaxRecordSizeInKiB")]
    max_record_size_in_kib: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    record_distribution_strategy: Option<Distribution>,
}

pub(super) fn run(call: &Call, input: Input) -> Result<Output, ApiError> {
    let (name, arn) = (text(input.stream_name.as_ref()), text(input.stream_arn.as_ref()));
    let id = text(input.stream_id.as_ref());
    let mut check = Constraints::default();
    check.stream(name, arn, id);
    check.satisfied()?;
    let stream = call.stream(name, arn, id)?;
    let settings = stream.settings();
    Ok(Output {
        stream_description_summary: Summary {
            stream: StreamOutput::from(&*stream),
            details: StreamDetails::from(&*stream),
            open_shard_count: if stream.is_usable() { stream.topology().open().len() } else { 0 },
            consumer_count: consumers_of(&stream).len(),
            warm_throughput: settings.warm_throughput.map(WarmThroughput::from),
            max_record_size_in_kib: settings.max_record_kib,
            record_distribution_strategy: (settings.mode == StreamMode::OnDemand).then_some(settings.distribution),
        },
    })
}
