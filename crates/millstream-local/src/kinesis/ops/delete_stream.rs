//! DeleteStream.

use serde::Deserialize;

use super::{Call, text};
use crate::api_error::ApiError;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::consumer::consumers_of;
use crate::kinesis::input::{Flag, Word};
use crate::kinesis::region::ACCOUNT;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Input {
    stream_name: Option<Word>,
    enforce_consumer_deletion: Option<Flag>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<Word>,
    stream_id: Option<Word>,
}

pub(super) fn run(call: &Call, input: Input) -> Result<(), ApiError> {
    let (name, arn) = (text(input.stream_name.as_ref()), text(input.stream_arn.as_ref()));
    let id = text(input.stream_id.as_ref());
    let mut check = Constraints::default();
    check.stream(name, arn, id);
    check.satisfied()?;
    let stream = call.stream(name, arn, id)?;
    if !input.enforce_consumer_deletion.is_some_and(|enforce| enforce.0) && !consumers_of(&stream).is_empty() {
        return Err(ApiError::in_use(format!(
            "Stream {} under account {ACCOUNT} has registered consumers. Deregister them first or set \
             EnforceConsumerDeletion.",
            stream.name()
        )));
    }
    call.kinesis.delete(&stream)
}
