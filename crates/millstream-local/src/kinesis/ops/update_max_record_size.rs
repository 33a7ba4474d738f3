//! UpdateMaxRecordSize.

use serde::Deserialize;

use super::Call;
use super::named::Named;
use crate::api_error::ApiError;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::input::Integer;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Input {
    #[serde(flatten)]
    stream: Named,
    #[serde(rename = "MaxRecordSizeInKiB")]
    max_record_size_in_kib: Option<Integer>,
}

pub(super) fn run(call: &Call, input: Input) -> Result<(), ApiError> {
    let size = input.max_record_size_in_kib.map(|size| size.0);
    let mut check = Constraints::default();
    check.required("maxRecordSizeInKiB", size.is_some());
    check.range("maxRecordSizeInKiB", size, 1024, 10_240);
    input.stream.check_arn(&mut check);
    check.satisfied()?;

    let stream = input.stream.find(call)?;
    call.kinesis.update_slowly(&stream, |info| {
        info.max_record_kib = size.and_then(|size| u32::try_from(size).ok()).unwrap_or(info.max_record_kib);
        Ok(())
    })
}
