//! UpdateStreamMode.

use serde::Deserialize;

use super::named::Named;
use super::{Call, text, update_stream_warm_throughput as warm_throughput};
use crate::api_error::ApiError;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::input::{Integer, Structure, Word};
use crate::kinesis::stream::{Distribution, StreamMode};

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Input {
    #[serde(flatten)]
    stream: Named,
    stream_mode_details: Option<Structure<StreamModeDetails>>,
    #[serde(rename = "WarmThroughputMiBps")]
    warm_throughput_mibps: Option<Integer>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct StreamModeDetails {
    stream_mode: Option<Word>,
}

pub(super) fn run(call: &Call, input: Input) -> Result<(), ApiError> {
    let mode = input.stream_mode_details.as_ref().map(|details| text(details.stream_mode.as_ref()));
    let mut check = Constraints::default();
    input.stream.check_arn(&mut check);
    check.required("streamModeDetails", mode.is_some());
    check.required("streamModeDetails.streamMode", mode != Some(None));
    let mode = mode.flatten();
    check.one_of("streamModeDetails.streamMode", mode, &["PROVISIONED", "ON_DEMAND"]);
    check.range("warmThroughputMiBps", input.warm_throughput_mibps.map(|throughput| throughput.0), 0, i64::MAX);
    check.satisfied()?;

    let stream = input.stream.find(call)?;
    let on_demand = mode == Some("ON_DEMAND");
    call.kinesis.update_slowly(&stream, |info| {
        if input.warm_throughput_mibps.is_some() {
            let throughput =
                warm_throughput::must_be_allowed(call, stream.name(), on_demand, input.warm_throughput_mibps)?;
            info.warm_throughput = Some(throughput);
        }
        info.mode = if on_demand { StreamMode::OnDemand } else { StreamMode::Provisioned };
        if !on_demand {
            info.warm_throughput = None;
            info.distribution = Distribution::UserPartitionKey;
        }
        Ok(())
    })
}
