//! TagResource, for streams and consumers.

use serde::Deserialize;

use super::named::Resource;
use super::{Call, text};
use crate::api_error::ApiError;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::input::Word;
use crate::kinesis::tags::{self, TagMap};

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Input {
    tags: Option<TagMap>,
    #[serde(rename = "ResourceARN")]
    resource_arn: Option<Word>,
    stream_id: Option<Word>,
}

pub(super) fn run(call: &Call, input: Input) -> Result<(), ApiError> {
    let arn = text(input.resource_arn.as_ref());
    let mut check = Constraints::default();
    check.required("tags", input.tags.is_some());
    if let Some(tags) = &input.tags {
        tags::check_map(&mut check, tags);
    }
    check.resource_arn(arn);
    check.stream_id(text(input.stream_id.as_ref()));
    check.satisfied()?;
    let resource = Resource::find(call, arn)?;
    let name = resource.stream_name();
    let new = input.tags.unwrap_or_default();
    let same = new.clone();
    resource.update(
        call,
        |stream| tags::add(&mut stream.tags, new, name),
        |consumer| tags::add(&mut consumer.tags, same, name),
    )
}
