//! ListStreamConsumers, in pages.

use serde::{Deserialize, Serialize};

use super::named::Named;
use super::{Call, text};
use crate::api_error::ApiError;
use crate::clock;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::consumer::{ConsumerOutput, consumers_of};
use crate::kinesis::input::{Integer, Timestamp, Word};
use crate::kinesis::sealed;

/// Consumers in an answer that does not say how many.
const DEFAULT_LIMIT: usize = 100;
/// How long a token may be used (ListStreamConsumers in the Kinesis API reference).
const TOKEN_LIFETIME_MS: u64 = 300_000;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Input {
    #[serde(flatten)]
    stream: Named,
    next_token: Option<Word>,
    max_results: Option<Integer>,
    stream_creation_timestamp: Option<Timestamp>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    consumers: Vec<ConsumerOutput>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// Where a page ends.
#[derive(Serialize, Deserialize)]
struct Token {
    created_ms: u64,
    stream_id: String,
    consumers_to: String,
}

pub(super) fn run(call: &Call, input: Input) -> Result<Output, ApiError> {
    let token = text(input.next_token.as_ref());
    let mut check = Constraints::default();
    input.stream.check_arn(&mut check);
    if let Some(token) = token {
        check.length("nextToken", token, 1, 1_048_576);
    }
    check.range("maxResults", input.max_results.map(|limit| limit.0), 1, 10_000);
    check.satisfied()?;

    let stream = input.stream.find(call)?;
    let settings = stream.settings();
    if input.stream_creation_timestamp.is_some_and(|time| time.0 / 1000 != settings.created_ms / 1000) {
        let message = format!("Stream {} was not created at StreamCreationTimestamp.", stream.name());
        return Err(ApiError::not_found(message));
    }
    let now_ms = call.kinesis.now_ms();
    let token = token.map(|token| open(token, &settings.id, now_ms)).transpose()?;
    let limit = input.max_results.and_then(|limit| usize::try_from(limit.0).ok()).unwrap_or(DEFAULT_LIMIT);
    let mut consumers = consumers_of(&stream);
    consumers.sort_by(|one, other| one.name.cmp(&other.name));
    consumers.retain(|consumer| token.as_ref().is_none_or(|token| consumer.name > token.consumers_to));
    let has_more = consumers.len() > limit;
    consumers.truncate(limit);
    let last = consumers.last().filter(|_| has_more);
    Ok(Output {
        next_token: last.map(|consumer| {
            let (stream_id, consumers_to) = (settings.id.clone(), consumer.name.clone());
            sealed::seal(&Token { created_ms: now_ms, stream_id, consumers_to })
        }),
        consumers: consumers.iter().map(|consumer| consumer.output(&stream)).collect(),
    })
}

fn open(token: &str, stream_id: &str, now_ms: u64) -> Result<Token, ApiError> {
    let token: Option<Token> = sealed::open(token);
    let token = token.filter(|token| token.stream_id == stream_id);
    let token = token.ok_or_else(|| ApiError::invalid_argument("NextToken is invalid."))?;
    if now_ms.saturating_sub(token.created_ms) > TOKEN_LIFETIME_MS {
        let (created, now) = (clock::words(token.created_ms), clock::words(now_ms));
        let message = format!("NextToken expired. It was created at time {created} while right now it is {now}.");
        return Err(ApiError::new("ExpiredNextTokenException", 400, message));
    }
    Ok(token)
}
