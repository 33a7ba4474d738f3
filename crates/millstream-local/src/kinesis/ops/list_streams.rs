//! ListStreams.

use serde::{Deserialize, Serialize};

use super::{Call, text};
use crate::api_error::ApiError;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::input::{Integer, Word};
use crate::kinesis::output::StreamOutput;
use crate::kinesis::sealed;

/// Streams in an answer that does not say how many.
const DEFAULT_LIMIT: usize = 100;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Input {
    limit: Option<Integer>,
    exclusive_start_stream_name: Option<Word>,
    next_token: Option<Word>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    stream_names: Vec<String>,
    has_more_streams: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    stream_summaries: Vec<StreamOutput>,
}

/// The name of the last stream that was listed.
#[derive(Serialize, Deserialize)]
struct Token {
    listed_to: String,
}

pub(super) fn run(call: &Call, input: Input) -> Result<Output, ApiError> {
    let (after, token) = (text(input.exclusive_start_stream_name.as_ref()), text(input.next_token.as_ref()));
    let mut check = Constraints::default();
    check.range("limit", input.limit.map(|limit| limit.0), 1, 10_000);
    check.name("exclusiveStartStreamName", after);
    if let Some(token) = token {
        check.length("nextToken", token, 1, 1_048_576);
    }
    check.satisfied()?;
    let token: Option<Token> = token
        .map(|token| sealed::open(token).ok_or_else(|| ApiError::invalid_argument("NextToken is invalid.")))
        .transpose()?;

    let after = token.as_ref().map(|token| token.listed_to.as_str()).or(after);
    let limit = input.limit.and_then(|limit| usize::try_from(limit.0).ok()).unwrap_or(DEFAULT_LIMIT);
    let mut streams = call.kinesis.streams_in(&call.region);
    streams.retain(|stream| after.is_none_or(|after| stream.name() > after));
    let has_more_streams = streams.len() > limit;
    streams.truncate(limit);
    let last = streams.last().filter(|_| has_more_streams);
    Ok(Output {
        next_token: last.map(|stream| sealed::seal(&Token { listed_to: stream.name().to_owned() })),
        stream_names: streams.iter().map(|stream| stream.name().to_owned()).collect(),
        has_more_streams,
        stream_summaries: streams.iter().map(|stream| StreamOutput::from(&**stream)).collect(),
    })
}
