//! ListShards, with its filters and pages.

use serde::{Deserialize, Serialize};

use super::{Call, text};
use crate::api_error::ApiError;
use crate::clock;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::input::{Integer, Structure, Timestamp, Word};
use crate::kinesis::output::ShardOutput;
use crate::kinesis::sealed;
use crate::kinesis::shard::ShardInfo;
use crate::kinesis::stream::{Stream, shard_number};

/// Shards in an answer that does not say how many.
const DEFAULT_LIMIT: usize = 1000;
/// How long a token may be used (ListShards in the Kinesis API reference).
const TOKEN_LIFETIME_MS: u64 = 300_000;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Input {
    exclusive_start_shard_id: Option<Word>,
    max_results: Option<Integer>,
    next_token: Option<Word>,
    shard_filter: Option<Structure<ShardFilter>>,
    stream_creation_timestamp: Option<Timestamp>,
    stream_name: Option<Word>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<Word>,
    stream_id: Option<Word>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ShardFilter {
    #[serde(rename = "Type")]
    kind: Option<Word>,
    shard_id: Option<Word>,
    timestamp: Option<Timestamp>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Output {
    shards: Vec<ShardOutput>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// Which shards are listed.
#[derive(Clone, Copy, Serialize, Deserialize)]
enum Filter {
    All,
    /// Those that hold the oldest records: the ones that the stream began with.
    First,
    /// Those that were open at a time. At any time they divide the whole hash space.
    OpenAt(u64),
    /// Those that are open or were closed at a time or later.
    OpenFrom(u64),
    /// Those that are open.
    Open,
}

/// Where a page ends.
#[derive(Serialize, Deserialize)]
struct Token {
    created_ms: u64,
    stream: String,
    stream_id: String,
    /// The number of the first shard of the next page.
    first: u32,
    filter: Filter,
}

pub(super) fn run(call: &Call, input: Input) -> Result<Output, ApiError> {
    check(&input)?;
    let (name, arn) = (text(input.stream_name.as_ref()), text(input.stream_arn.as_ref()));
    let id = text(input.stream_id.as_ref());
    let (stream, first, filter) = match &input.next_token {
        Some(token) => {
            if name.is_some() || arn.is_some() || id.is_some() {
                let message = "NextToken and StreamName cannot be provided together.";
                return Err(ApiError::invalid_argument(message));
            }
            if input.shard_filter.is_some() || input.exclusive_start_shard_id.is_some() {
                let message = "NextToken cannot be provided together with ShardFilter or ExclusiveStartShardId.";
                return Err(ApiError::invalid_argument(message));
            }
            let token = open(&token.0, call.kinesis.now_ms())?;
            let stream = call.kinesis.stream(&call.region, &token.stream)?;
            if stream.settings().id != token.stream_id {
                return Err(ApiError::invalid_argument("NextToken is invalid."));
            }
            (stream, token.first, token.filter)
        }
        None if name.is_none() && arn.is_none() && id.is_none() => {
            return Err(ApiError::invalid_argument("Either NextToken or StreamName should be provided."));
        }
        None => {
            let stream = call.stream(name, arn, id)?;
            let (first, filter) = start(&input, &stream)?;
            (stream, first, filter)
        }
    };

    let limit = input.max_results.and_then(|limit| usize::try_from(limit.0).ok()).unwrap_or(DEFAULT_LIMIT);
    let shards = stream.visible_shards();
    let rest = shards.iter().filter(|shard| shard.number() >= first);
    let mut matching = rest.filter(|shard| filter.matches(&shard.info()));
    let shards = matching.by_ref().take(limit).map(|shard| ShardOutput::from(&**shard)).collect();
    let next_token = matching.next().map(|shard| {
        sealed::seal(&Token {
            created_ms: call.kinesis.now_ms(),
            stream: stream.name().to_owned(),
            stream_id: stream.settings().id.clone(),
            first: shard.number(),
            filter,
        })
    });
    Ok(Output { shards, next_token })
}

fn check(input: &Input) -> Result<(), ApiError> {
    let mut check = Constraints::default();
    check.name("exclusiveStartShardId", text(input.exclusive_start_shard_id.as_ref()));
    check.range("maxResults", input.max_results.map(|limit| limit.0), 1, 10_000);
    if let Some(token) = &input.next_token {
        check.length("nextToken", &token.0, 1, 1_048_576);
    }
    if let Some(filter) = &input.shard_filter {
        let kinds =
            ["AFTER_SHARD_ID", "AT_TRIM_HORIZON", "FROM_TRIM_HORIZON", "AT_LATEST", "AT_TIMESTAMP", "FROM_TIMESTAMP"];
        check.required("shardFilter.type", filter.kind.is_some());
        check.one_of("shardFilter.type", text(filter.kind.as_ref()), &kinds);
        check.name("shardFilter.shardId", text(filter.shard_id.as_ref()));
    }
    check.name("streamName", text(input.stream_name.as_ref()));
    check.stream_arn(text(input.stream_arn.as_ref()));
    check.stream_id(text(input.stream_id.as_ref()));
    check.satisfied()
}

/// The first shard and the filter of a request that is not for a further page.
fn start(input: &Input, stream: &Stream) -> Result<(u32, Filter), ApiError> {
    let created_ms = stream.settings().created_ms;
    // Descriptions give the time to the millisecond, but some clients round it to the second.
    if input.stream_creation_timestamp.is_some_and(|time| time.0 / 1000 != created_ms / 1000) {
        let message = format!("Stream {} was not created at StreamCreationTimestamp.", stream.name());
        return Err(ApiError::not_found(message));
    }
    let after = |shard_id: &str| -> Result<u32, ApiError> {
        let number = shard_number(shard_id);
        let number = number.ok_or_else(|| ApiError::invalid_argument(format!("Invalid ShardId {shard_id}.")))?;
        Ok(number + 1)
    };
    let exclusive_start = text(input.exclusive_start_shard_id.as_ref());
    let Some(filter) = &input.shard_filter else {
        return Ok((exclusive_start.map(after).transpose()?.unwrap_or(0), Filter::All));
    };
    if exclusive_start.is_some() {
        let message = "ExclusiveStartShardId and ShardFilter cannot be provided together.";
        return Err(ApiError::invalid_argument(message));
    }
    let kind = text(filter.kind.as_ref()).unwrap_or_default();
    let wants_shard = kind == "AFTER_SHARD_ID";
    let wants_time = kind.ends_with("_TIMESTAMP");
    if filter.shard_id.is_some() != wants_shard {
        let must = if wants_shard { "must" } else { "must not" };
        return Err(ApiError::invalid_argument(format!("ShardId {must} be provided with ShardFilter type {kind}.")));
    }
    if filter.timestamp.is_some() != wants_time {
        let must = if wants_time { "must" } else { "must not" };
        return Err(ApiError::invalid_argument(format!("Timestamp {must} be provided with ShardFilter type {kind}.")));
    }
    // Nothing older is left.
    let time = filter.timestamp.map_or(0, |time| time.0).max(stream.horizon_ms());
    Ok(match kind {
        "AFTER_SHARD_ID" => (after(text(filter.shard_id.as_ref()).unwrap_or_default())?, Filter::All),
        "AT_LATEST" => (0, Filter::Open),
        // Nothing is older than the stream.
        "AT_TIMESTAMP" | "AT_TRIM_HORIZON" if time < created_ms => (0, Filter::First),
        "AT_TIMESTAMP" | "AT_TRIM_HORIZON" => (0, Filter::OpenAt(time)),
        "FROM_TIMESTAMP" => (0, Filter::OpenFrom(time)),
        _ => (0, Filter::All),
    })
}

fn open(token: &str, now_ms: u64) -> Result<Token, ApiError> {
    let token: Token = sealed::open(token).ok_or_else(|| ApiError::invalid_argument("NextToken is invalid."))?;
    if now_ms.saturating_sub(token.created_ms) > TOKEN_LIFETIME_MS {
        let message = format!(
            "NextToken expired. It was created at time {} while right now it is {}.",
            clock::words(token.created_ms),
            clock::words(now_ms)
        );
        return Err(ApiError::new("ExpiredNextTokenException", 400, message));
    }
    Ok(token)
}

impl Filter {
    fn matches(self, shard: &ShardInfo) -> bool {
        match self {
            Self::All => true,
            Self::First => shard.parents.is_empty(),
            Self::Open => shard.closed_ms.is_none(),
            Self::OpenAt(time) => shard.opened_ms <= time && shard.closed_ms.is_none_or(|closed| closed > time),
            Self::OpenFrom(time) => shard.closed_ms.is_none_or(|closed| closed >= time),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn filters_follow_the_life_of_a_shard() {
        let shard = |number, opened_ms, closed_ms, parents| ShardInfo {
            number,
            parents,
            start_hash: 0,
            end_hash: 0,
            opened_secs: 0,
            opened_ms,
            closed_ms,
        };
        // 0 is split at 200 into 1 and 2, which are merged at 300 into 3.
        let shards = [
            shard(0, 100, Some(200), vec![]),
            shard(1, 200, Some(300), vec![0]),
            shard(2, 200, Some(300), vec![0]),
            shard(3, 300, None, vec![1, 2]),
        ];
        let listed = |filter: Filter| -> Vec<u32> {
            shards.iter().filter(|shard| filter.matches(shard)).map(|shard| shard.number).collect()
        };
        assert_eq!(listed(Filter::All), [0, 1, 2, 3]);
        assert_eq!(listed(Filter::Open), [3]);
        assert_eq!(listed(Filter::First), [0]);
        assert_eq!(listed(Filter::OpenAt(100)), [0]);
        assert_eq!(listed(Filter::OpenAt(200)), [1, 2]);
        assert_eq!(listed(Filter::OpenAt(250)), [1, 2]);
        assert_eq!(listed(Filter::OpenAt(400)), [3]);
        assert_eq!(listed(Filter::OpenFrom(250)), [1, 2, 3]);
        assert_eq!(listed(Filter::OpenFrom(100)), [0, 1, 2, 3]);
    }

    #[test]
    fn a_token_lives_five_minutes() {
        let token = Token {
            created_ms: 1_000_000,
            stream: "s".to_owned(),
            stream_id: "i".to_owned(),
            first: 7,
            filter: Filter::OpenAt(9),
        };
        let text = sealed::seal(&token);
        assert_eq!(open(&text, 1_300_000).unwrap().first, 7);
        assert_eq!(open(&text, 1_300_001).err().unwrap().code(), "ExpiredNextTokenException");
        assert_eq!(open("x", 0).err().unwrap().code(), "InvalidArgumentException");
    }
}
