//! StopStreamEncryption.

use super::Call;
use super::start_stream_encryption::Input;
use crate::api_error::ApiError;

pub(super) fn run(call: &Call, input: Input) -> Result<(), ApiError> {
    let (stream, _) = input.checked()?;
    let stream = stream.find(call)?;
    call.kinesis.update_slowly(&stream, |info| {
        info.encryption = None;
        Ok(())
    })
}
