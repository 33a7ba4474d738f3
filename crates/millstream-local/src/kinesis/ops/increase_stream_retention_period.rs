//! IncreaseStreamRetentionPeriod.

use serde::Deserialize;

use super::Call;
use super::named::Named;
use crate::api_error::ApiError;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::input::Integer;

/// The shortest and the longest retention period (IncreaseStreamRetentionPeriod in the Kinesis API reference).
const HOURS: std::ops::RangeInclusive<u32> = 24..=8760;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Input {
    #[serde(flatten)]
    stream: Named,
    retention_period_hours: Option<Integer>,
}

impl Input {
    /// The stream's constraints and the bounds of a period in hours.
    pub(super) fn checked(self) -> Result<(Named, u32), ApiError> {
        let hours = self.retention_period_hours.map(|hours| hours.0);
        let mut check = Constraints::default();
        check.required("retentionPeriodHours", hours.is_some());
        check.range("retentionPeriodHours", hours, 1, (*HOURS.end()).into());
        self.stream.check(&mut check);
        check.satisfied()?;
        Ok((self.stream, hours.and_then(|hours| u32::try_from(hours).ok()).unwrap_or(0)))
    }
}

pub(super) fn run(call: &Call, input: Input) -> Result<(), ApiError> {
    let (stream, hours) = input.checked()?;
    let stream = stream.find(call)?;
    must_be_long_enough(hours)?;
    call.kinesis.update_slowly(&stream, |info| {
        let existing = info.retention_hours;
        if hours < existing {
            return Err(ApiError::invalid_argument(format!(
                "Requested retention period ({hours} hours) for stream {} can not be shorter than existing retention \
                 period ({existing} hours). Use DecreaseRetentionPeriod API.",
                info.name
            )));
        }
        if hours > existing {
            // What has expired does not come back.
            info.horizon_ms = stream.horizon_ms();
            info.retention_hours = hours;
        }
        Ok(())
    })
}

pub(super) fn must_be_long_enough(hours: u32) -> Result<(), ApiError> {
    if HOURS.contains(&hours) {
        return Ok(());
    }
    Err(ApiError::invalid_argument(format!(
        "Minimum allowed retention period is {} hours. Requested retention period ({hours} hours) is too short.",
        HOURS.start()
    )))
}
