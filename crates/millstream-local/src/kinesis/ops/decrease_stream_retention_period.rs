//! DecreaseStreamRetentionPeriod.

use super::Call;
use super::increase_stream_retention_period::{Input, must_be_long_enough};
use crate::api_error::ApiError;

pub(super) fn run(call: &Call, input: Input) -> Result<(), ApiError> {
    let (stream, hours) = input.checked()?;
    let stream = stream.find(call)?;
    must_be_long_enough(hours)?;
    call.kinesis.update_slowly(&stream, |info| {
        let existing = info.retention_hours;
        if hours > existing {
            return Err(ApiError::invalid_argument(format!(
                "Requested retention period ({hours} hours) for stream {} can not be longer than existing retention \
                 period ({existing} hours). Use IncreaseRetentionPeriod API.",
                info.name
            )));
        }
        info.retention_hours = hours;
        Ok(())
    })
}
