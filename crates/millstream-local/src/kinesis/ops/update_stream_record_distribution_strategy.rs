//! UpdateStreamRecordDistributionStrategy, which takes effect at once.

use serde::Deserialize;

use super::named::Named;
use super::{Call, text};
use crate::api_error::ApiError;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::input::Word;
use crate::kinesis::region::ACCOUNT;
use crate::kinesis::stream::{Distribution, StreamMode};

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Input {
    #[serde(flatten)]
    stream: Named,
    record_distribution_strategy: Option<Word>,
}

pub(super) fn run(call: &Call, input: Input) -> Result<(), ApiError> {
    let strategy = input.record_distribution_strategy.as_ref();
    let mut check_all = Constraints::default();
    input.stream.check_arn(&mut check_all);
    check_all.required("recordDistributionStrategy", strategy.is_some());
    check(&mut check_all, strategy);
    check_all.satisfied()?;

    let stream = input.stream.find(call)?;
    call.kinesis.update(&stream, |info| {
        stream.must_be_active()?;
        info.distribution = allowed(stream.name(), info.mode == StreamMode::OnDemand, strategy)?;
        Ok(())
    })
}

pub(super) fn check(check: &mut Constraints, strategy: Option<&Word>) {
    check.one_of("recordDistributionStrategy", text(strategy), &["AUTO", "USER_PARTITION_KEY"]);
}

/// The strategy that a stream gets, if its mode has it; the constraint has been checked.
pub(super) fn allowed(stream: &str, on_demand: bool, strategy: Option<&Word>) -> Result<Distribution, ApiError> {
    match text(strategy) {
        Some("AUTO") if on_demand => Ok(Distribution::Auto),
        Some("AUTO") => Err(ApiError::invalid_argument(format!(
            "RecordDistributionStrategy AUTO is only supported for streams in ON_DEMAND mode. Stream {stream} under \
             account {ACCOUNT} is in PROVISIONED mode."
        ))),
        _ => Ok(Distribution::UserPartitionKey),
    }
}
