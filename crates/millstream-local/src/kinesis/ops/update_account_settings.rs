//! UpdateAccountSettings.

use serde::Deserialize;

use super::describe_account_settings::Output;
use super::{Call, text};
use crate::api_error::ApiError;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::input::{Structure, Word};

const PATH: &str = "minimumThroughputBillingCommitment";

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Input {
    minimum_throughput_billing_commitment: Option<Structure<Commitment>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Commitment {
    status: Option<Word>,
}

pub(super) fn run(call: &Call, input: Input) -> Result<Output, ApiError> {
    let mut check = Constraints::default();
    check.required(PATH, input.minimum_throughput_billing_commitment.is_some());
    let wanted = input.minimum_throughput_billing_commitment.unwrap_or_default();
    let status = text(wanted.status.as_ref());
    check.one_of(&format!("{PATH}.status"), status, &["ENABLED", "DISABLED"]);
    check.satisfied()?;
    let mut check = Constraints::default();
    check.required(&format!("{PATH}.status"), status.is_some());
    check.satisfied()?;

    let now_ms = call.kinesis.now_ms();
    let commitment = call.kinesis.update_account(|account| {
        let commitment = account.commitment_mut(&call.region);
        if status == Some("ENABLED") {
            commitment.enable(now_ms)
        } else {
            commitment.disable(now_ms)
        }
        Ok(*commitment)
    })?;
    Ok(Output { minimum_throughput_billing_commitment: commitment.output(now_ms) })
}
