//! GetShardIterator, of all five types.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Call, blocking, stream_word, text, wet};
use crate::api_error::ApiError;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::input::{Flag, Timestamp, Word};
use crate::kinesis::iterator::ShardIterator;
use crate::kinesis::position::{Position, shard_of};

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
    dry_run: Option<Flag>,
    timestamp: Option<Timestamp>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    shard_iterator: String,
}

pub(super) async fn run(call: Call, body: Bytes) -> Result<Vec<u8>, ApiError> {
    let input: Input = call.read(&body)?;
    if input.timestamp.is_none() {
        return call.format.write(&iterator(&call, &input)?);
    }
    // The record of a time is looked for on the disk.
    let format = call.format;
    format.write(&blocking(move || iterator(&call, &input)).await?)
}

fn iterator(call: &Call, input: &Input) -> Result<Output, ApiError> {
    let (name, arn) = (text(input.stream_name.as_ref()), text(input.stream_arn.as_ref()));
    let (id, shard) = (text(input.stream_id.as_ref()), text(input.shard_id.as_ref()));
    let position = Position {
        operation: "GetShardIterator",
        kind: text(input.shard_iterator_type.as_ref()),
        sequence: text(input.starting_sequence_number.as_ref()),
        timestamp: input.timestamp,
    };
    let mut check = Constraints::default();
    check.required_name("shardId", shard);
    position.check_kind(&mut check, "shardIteratorType");
    check.sequence_number("startingSequenceNumber", position.sequence);
    check.stream(name, arn, id);
    check.satisfied()?;

    let stream_name = stream_word([name, arn, id]);
    let (stream, shard) = shard_of(|| call.stream(name, arn, id), stream_name, shard.unwrap_or_default())?;
    let place = position.place(&stream, &shard)?;
    wet(input.dry_run)?;
    let named = stream.settings();
    call.kinesis.limits().iterator(stream.shard_name(&named, shard.number()), call.kinesis.now_ms())?;
    let iterator = ShardIterator {
        created_ms: call.kinesis.now_ms(),
        stream: stream.name().to_owned(),
        stream_id: stream.settings().id.clone(),
        shard: shard.number(),
        place,
    };
    Ok(Output { shard_iterator: iterator.seal() })
}
