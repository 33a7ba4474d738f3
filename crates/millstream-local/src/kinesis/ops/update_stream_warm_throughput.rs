//! UpdateStreamWarmThroughput. The throughput is kept and shown; a stream here is never cold.

use serde::{Deserialize, Serialize};

use super::Call;
use super::named::Named;
use crate::api_error::ApiError;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::input::Integer;
use crate::kinesis::output::WarmThroughput;
use crate::kinesis::region::ACCOUNT;
use crate::kinesis::stream::StreamMode;

/// 10 GiB/s (UpdateStreamWarmThroughput in the Kinesis API reference).
const MOST_MIBPS: u32 = 10 * 1024;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Input {
    #[serde(flatten)]
    stream: Named,
    #[serde(rename = "WarmThroughputMiBps")]
    warm_throughput_mibps: Option<Integer>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    #[serde(rename = "StreamARN")]
    stream_arn: String,
    stream_name: String,
    warm_throughput: WarmThroughput,
}

pub(super) fn run(call: &Call, input: Input) -> Result<Output, ApiError> {
    let wanted = input.warm_throughput_mibps;
    let mut check = Constraints::default();
    check.required("warmThroughputMiBps", wanted.is_some());
    check.range("warmThroughputMiBps", wanted.map(|throughput| throughput.0), 0, i64::MAX);
    input.stream.check(&mut check);
    check.satisfied()?;

    let stream = input.stream.find(call)?;
    let throughput = call.kinesis.update_slowly(&stream, |info| {
        let throughput = must_be_allowed(call, stream.name(), info.mode == StreamMode::OnDemand, wanted)?;
        info.warm_throughput = Some(throughput);
        Ok(throughput)
    })?;
    Ok(Output {
        stream_arn: stream.arn().to_owned(),
        stream_name: stream.name().to_owned(),
        warm_throughput: throughput.into(),
    })
}

/// Warm throughput is for on-demand streams of accounts with a commitment. Gives it in MiB/s.
pub(super) fn must_be_allowed(
    call: &Call,
    stream: &str,
    on_demand: bool,
    wanted: Option<Integer>,
) -> Result<u32, ApiError> {
    let wanted = wanted.and_then(|wanted| u32::try_from(wanted.0).ok()).unwrap_or(0);
    if !on_demand {
        return Err(ApiError::validation(format!(
            "Request is invalid. Stream {stream} under account {ACCOUNT} is in Provisioned mode, which does not support \
             warm throughput."
        )));
    }
    if !call.kinesis.account().commitment(&call.region).is_enabled(call.kinesis.now_ms()) {
        return Err(ApiError::validation(format!(
            "Request is invalid. Warm throughput of stream {stream} needs MinimumThroughputBillingCommitment to be \
             enabled for account {ACCOUNT}."
        )));
    }
    if wanted > MOST_MIBPS {
        return Err(ApiError::limit_exceeded(format!(
            "Warm throughput of stream {stream} under account {ACCOUNT} cannot be greater than {MOST_MIBPS} MiBps. \
             Requested: {wanted}."
        )));
    }
    Ok(wanted)
}
