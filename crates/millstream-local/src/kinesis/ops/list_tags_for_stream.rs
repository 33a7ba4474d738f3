//! ListTagsForStream.

use serde::{Deserialize, Serialize};

use super::named::Named;
use super::{Call, text};
use crate::api_error::ApiError;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::input::{Integer, Word};
use crate::kinesis::output::Tag;

/// Tags in an answer that does not say how many; a stream has no more.
const DEFAULT_LIMIT: usize = 50;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Input {
    #[serde(flatten)]
    stream: Named,
    exclusive_start_tag_key: Option<Word>,
    limit: Option<Integer>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    tags: Vec<Tag>,
    has_more_tags: bool,
}

pub(super) fn run(call: &Call, input: Input) -> Result<Output, ApiError> {
    let after = text(input.exclusive_start_tag_key.as_ref());
    let mut check = Constraints::default();
    check.range("limit", input.limit.map(|limit| limit.0), 1, 50);
    if let Some(after) = after {
        check.length("exclusiveStartTagKey", after, 1, 128);
    }
    input.stream.check(&mut check);
    check.satisfied()?;
    let stream = input.stream.find(call)?;
    let limit = input.limit.and_then(|limit| usize::try_from(limit.0).ok()).unwrap_or(DEFAULT_LIMIT);
    let settings = stream.settings();
    let mut rest = settings.tags.iter().filter(|(key, _)| after.is_none_or(|after| key.as_str() > after));
    let page = rest.by_ref().take(limit).map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect();
    Ok(Output { tags: page, has_more_tags: rest.next().is_some() })
}
