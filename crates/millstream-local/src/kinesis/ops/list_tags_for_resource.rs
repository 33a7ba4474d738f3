//! ListTagsForResource, for streams and consumers.

use serde::{Deserialize, Serialize};

use super::named::Resource;
use super::{Call, text};
use crate::api_error::ApiError;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::input::Word;
use crate::kinesis::output::Tag;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Input {
    #[serde(rename = "ResourceARN")]
    resource_arn: Option<Word>,
    stream_id: Option<Word>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    tags: Vec<Tag>,
}

pub(super) fn run(call: &Call, input: Input) -> Result<Output, ApiError> {
    let arn = text(input.resource_arn.as_ref());
    let mut check = Constraints::default();
    check.resource_arn(arn);
    check.stream_id(text(input.stream_id.as_ref()));
    check.satisfied()?;
    let resource = Resource::find(call, arn)?;
    let tags = resource.look(|stream| stream.tags.clone(), |consumer| consumer.tags.clone())?;
    Ok(Output { tags: tags.into_iter().map(|(key, value)| Tag { key, value }).collect() })
}
