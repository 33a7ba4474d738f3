//! RemoveTagsFromStream.

use serde::Deserialize;

use super::Call;
use super::named::Named;
use crate::api_error::ApiError;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::input::Word;
use crate::kinesis::tags;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Input {
    #[serde(flatten)]
    stream: Named,
    tag_keys: Option<Vec<Word>>,
}

pub(super) fn run(call: &Call, input: Input) -> Result<(), ApiError> {
    let mut check = Constraints::default();
    check.required("tagKeys", input.tag_keys.is_some());
    if let Some(keys) = &input.tag_keys {
        tags::check_keys(&mut check, keys);
    }
    input.stream.check(&mut check);
    check.satisfied()?;
    let stream = input.stream.find(call)?;
    let keys = input.tag_keys.unwrap_or_default();
    call.kinesis.update(&stream, |info| tags::remove(&mut info.tags, &keys, stream.name()))
}
