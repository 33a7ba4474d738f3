//! DescribeAccountSettings.

use serde::{Deserialize, Serialize};

use super::Call;
use crate::api_error::ApiError;
use crate::kinesis::account::CommitmentOutput;

#[derive(Default, Deserialize)]
pub(super) struct Input {}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    pub(super) minimum_throughput_billing_commitment: CommitmentOutput,
}

pub(super) fn run(call: &Call, _: Input) -> Result<Output, ApiError> {
    let commitment = call.kinesis.account().commitment(&call.region);
    Ok(Output { minimum_throughput_billing_commitment: commitment.output(call.kinesis.now_ms()) })
}
