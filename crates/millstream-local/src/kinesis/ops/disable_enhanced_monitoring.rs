//! DisableEnhancedMonitoring.

use super::Call;
use super::enable_enhanced_monitoring::{Input, Output, change};
use crate::api_error::ApiError;

pub(super) fn run(call: &Call, input: Input) -> Result<Output, ApiError> {
    change(call, input, |current, named| current - named)
}
