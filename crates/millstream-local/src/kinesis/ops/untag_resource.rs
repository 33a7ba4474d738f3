//! UntagResource, for streams and consumers.

use serde::Deserialize;

use super::named::Resource;
use super::{Call, text};
use crate::api_error::ApiError;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::input::Word;
use crate::kinesis::tags;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Input {
    tag_keys: Option<Vec<Word>>,
    #[serde(rename = "ResourceARN")]
    resource_arn: Option<Word>,
    stream_id: Option<Word>,
}

pub(super) fn run(call: &Call, input: Input) -> Result<(), ApiError> {
    let arn = text(input.resource_arn.as_ref());
    let mut check = Constraints::default();
    check.required("tagKeys", input.tag_keys.is_some());
    if let Some(keys) = &input.tag_keys {
        tags::check_keys(&mut check, keys);
    }
    check.resource_arn(arn);
    check.stream_id(text(input.stream_id.as_ref()));
    check.satisfied()?;
    let resource = Resource::find(call, arn)?;
    let name = resource.stream_name();
    let keys = input.tag_keys.unwrap_or_default();
    resource.update(
        call,
        |stream| tags::remove(&mut stream.tags, &keys, name),
        |consumer| tags::remove(&mut consumer.tags, &keys, name),
    )
}
