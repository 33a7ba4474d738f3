//! GetShardIterator, of all five types.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Call, blocking, text};
use crate::api_error::ApiError;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::input::{Timestamp, Word};
use crate::kinesis::iterator::{Place, ShardIterator};
use crate::kinesis::region::ACCOUNT;
use crate::kinesis::sequence::Sequence;
use crate::kinesis::shard::Shard;
use crate::kinesis::stream::{Stream, shard_id, shard_number};

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Input {
    shard_id: Option<Word>,
    shard_iterator_type: Option<Word>,
    starting_sequence_number: Option<Word>,
    stream_name: Option<Word>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<Word>,
    stream_id: Option<Word>,
    timestamp: Option<Timestamp>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    shard_iterator: String,
}

pub(super) async fn run(call: Call, body: Bytes) -> Result<Vec<u8>, ApiError> {
    let input: Input = call.read(&body)?;
    let (name, arn) = (text(input.stream_name.as_ref()), text(input.stream_arn.as_ref()));
    let id = text(input.stream_id.as_ref());
    let (shard, kind) = (text(input.shard_id.as_ref()), text(input.shard_iterator_type.as_ref()));
    let sequence = text(input.starting_sequence_number.as_ref());
    let kinds = ["AFTER_SEQUENCE_NUMBER", "LATEST", "AT_TIMESTAMP", "AT_SEQUENCE_NUMBER", "TRIM_HORIZON"];
    let mut check = Constraints::default();
    check.required_name("shardId", shard);
    check.required("shardIteratorType", kind.is_some());
    check.one_of("shardIteratorType", kind, &kinds);
    check.sequence_number("startingSequenceNumber", sequence);
    check.stream(name, arn, id);
    check.satisfied()?;

    let (stream, shard) = find(&call, [name, arn, id], shard.unwrap_or_default())?;
    let place = match (kind.unwrap_or_default(), sequence) {
        (kind @ ("AT_SEQUENCE_NUMBER" | "AFTER_SEQUENCE_NUMBER"), Some(number)) => {
            let index = index_in(&stream, &shard, number)?;
            Place { index: if kind.starts_with("AFTER") { index + 1 } else { index }, arrival_ms: 0 }
        }
        (kind, Some(_)) => return Err(wrong_arguments(kind, "also a")),
        (kind @ ("AT_SEQUENCE_NUMBER" | "AFTER_SEQUENCE_NUMBER"), None) => return Err(wrong_arguments(kind, "no")),
        ("AT_TIMESTAMP", None) => {
            let arrival_ms = time_of(input.timestamp, call.kinesis.now_ms())?;
            let shard = Arc::clone(&shard);
            let found = move || shard.at_time(arrival_ms).map_err(|error| ApiError::storage("read a log", &error));
            blocking(found).await?
        }
        ("LATEST", None) => shard.latest(),
        (_, None) => Place::default(),
    };
    let iterator = ShardIterator {
        created_ms: call.kinesis.now_ms(),
        stream: stream.name().to_owned(),
        stream_id: stream.settings().id.clone(),
        shard: shard.number(),
        place,
    };
    call.format.write(&Output { shard_iterator: iterator.seal() })
}

fn find(call: &Call, [name, arn, id]: [Option<&str>; 3], shard: &str) -> Result<(Arc<Stream>, Arc<Shard>), ApiError> {
    let stream_name = name.or(arn.and_then(|arn| Some(arn.split_once(":stream/")?.1))).or(id).unwrap_or_default();
    let Some(number) = shard_number(shard) else {
        let message = format!("Could not find shard {shard} in stream {stream_name} under account {ACCOUNT}.");
        return Err(ApiError::not_found(message));
    };
    // AWS speaks of the shard here even if it is the stream that is missing.
    let missing = || {
        let shard = shard_id(number);
        let message = format!("Shard {shard} in stream {stream_name} under account {ACCOUNT} does not exist");
        ApiError::not_found(message)
    };
    let stream = call.stream(name, arn, id).map_err(|error| if error.is_not_found() { missing() } else { error })?;
    let shard = stream.shard(shard).map_err(|_| missing())?;
    if !stream.is_usable() || stream.has_expired(&shard) {
        return Err(missing());
    }
    Ok((stream, shard))
}

/// The index that a sequence number of this shard stands for.
fn index_in(stream: &Stream, shard: &Shard, number: &str) -> Result<u64, ApiError> {
    let (name, id) = (stream.name(), shard_id(shard.number()));
    let used = format!(
        "StartingSequenceNumber {number} used in GetShardIterator on shard {id} in stream {name} under account \
         {ACCOUNT} is invalid"
    );
    let Some(sequence) = Sequence::parse(number) else {
        return Err(ApiError::invalid_argument(format!("{used}.")));
    };
    if sequence.shard != shard.number() {
        let message = format!(
            "Invalid StartingSequenceNumber. It encodes {}, while it was used in a call to a shard with {id}",
            shard_id(sequence.shard)
        );
        return Err(ApiError::invalid_argument(message));
    }
    if sequence.opened_secs != shard.sequence(0, 0).opened_secs {
        return Err(ApiError::invalid_argument(format!("{used} because it did not come from this stream.")));
    }
    Ok(sequence.index)
}

fn time_of(timestamp: Option<Timestamp>, now_ms: u64) -> Result<u64, ApiError> {
    let Some(Timestamp(time)) = timestamp else {
        let message = "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current request has \
                       no timestamp parameter.";
        return Err(ApiError::invalid_argument(message));
    };
    if time > now_ms {
        return Err(ApiError::invalid_argument(format!(
            "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. timestampInMillis: \
             {time}, currentTimestampInMillis: {now_ms}"
        )));
    }
    Ok(time)
}

fn wrong_arguments(kind: &str, what: &str) -> ApiError {
    ApiError::invalid_argument(format!(
        "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or (2) \
         TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified {kind} and {what} \
         StartingSequenceNumber."
    ))
}
