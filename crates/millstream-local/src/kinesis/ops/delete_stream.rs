//! DeleteStream. The stream is gone at once.

use serde::Deserialize;

use super::{Call, text};
use crate::api_error::ApiError;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::input::Word;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Input {
    stream_name: Option<Word>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<Word>,
}

pub(super) fn run(call: &Call, input: Input) -> Result<(), ApiError> {
    let (name, arn) = (text(input.stream_name.as_ref()), text(input.stream_arn.as_ref()));
    let mut check = Constraints::default();
    check.stream(name, arn);
    check.satisfied()?;
    let stream = call.stream(name, arn)?;
    call.kinesis.delete(&stream)
}
