//! AddTagsToStream.

use serde::Deserialize;

use super::Call;
use super::named::Named;
use crate::api_error::ApiError;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::tags::{self, TagMap};

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Input {
    #[serde(flatten)]
    stream: Named,
    tags: Option<TagMap>,
}

pub(super) fn run(call: &Call, input: Input) -> Result<(), ApiError> {
    let mut check = Constraints::default();
    check.required("tags", input.tags.is_some());
    if let Some(tags) = &input.tags {
        tags::check_map(&mut check, tags);
    }
    input.stream.check(&mut check);
    check.satisfied()?;
    let stream = input.stream.find(call)?;
    let tags = input.tags.unwrap_or_default();
    call.kinesis.update(&stream, |info| tags::add(&mut info.tags, tags, stream.name()))
}
