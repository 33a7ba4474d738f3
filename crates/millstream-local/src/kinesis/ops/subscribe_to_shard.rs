//! SubscribeToShard. The answer is an event stream, which [`Subscription`] writes.

use bytes::Bytes;
use serde::Deserialize;
use tokio::sync::mpsc;

use super::{Call, blocking, text, wet};
use crate::api_error::ApiError;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::consumer::{no_such_consumer, split_arn};
use crate::kinesis::input::{Flag, Structure, Timestamp, Word};
use crate::kinesis::lifecycle::Status;
use crate::kinesis::ops::named::consumer_by_arn;
use crate::kinesis::position::{Position, shard_of};
use crate::kinesis::region::ACCOUNT;
use crate::kinesis::stream::shard_id;
use crate::kinesis::subscription::{EVENTS_AHEAD, Key, Subscription};

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Input {
    #[serde(rename = "ConsumerARN")]
    consumer_arn: Option<Word>,
    shard_id: Option<Word>,
    starting_position: Option<Structure<StartingPosition>>,
    stream_id: Option<Word>,
    dry_run: Option<Flag>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct StartingPosition {
    r#type: Option<Word>,
    sequence_number: Option<Word>,
    timestamp: Option<Timestamp>,
}

/// The events, as they come.
pub(super) async fn run(call: Call, body: Bytes) -> Result<mpsc::Receiver<Bytes>, ApiError> {
    let subscription = blocking(move || begin(call, &body)).await?;
    let (sender, events) = mpsc::channel(EVENTS_AHEAD);
    let kinesis = subscription.kinesis.clone();
    kinesis.subscriptions().run(Subscription::run(sender, subscription));
    Ok(events)
}

/// Finds the consumer, its stream and the place to start. Reads from the disk.
fn begin(call: Call, body: &[u8]) -> Result<Subscription, ApiError> {
    let input: Input = call.read(body)?;
    let (arn, shard) = (text(input.consumer_arn.as_ref()), text(input.shard_id.as_ref()));
    let starting = input.starting_position.as_ref();
    let position = Position {
        operation: "SubscribeToShard",
        kind: starting.and_then(|starting| text(starting.r#type.as_ref())),
        sequence: starting.and_then(|starting| text(starting.sequence_number.as_ref())),
        timestamp: starting.and_then(|starting| starting.timestamp),
    };
    let mut check = Constraints::default();
    check.required("consumerARN", arn.is_some());
    check.consumer_arn(arn);
    check.required_name("shardId", shard);
    check.required("startingPosition", starting.is_some());
    if starting.is_some() {
        position.check_kind(&mut check, "startingPosition.type");
        check.sequence_number("startingPosition.sequenceNumber", position.sequence);
    }
    check.stream_id(text(input.stream_id.as_ref()));
    check.satisfied()?;

    let arn = arn.unwrap_or_default();
    let (stream_arn, _) = split_arn(arn).ok_or_else(|| no_such_consumer(arn))?;
    let stream = call.stream(None, Some(stream_arn), None)?;
    let consumer = consumer_by_arn(&stream, arn)?;
    if consumer.status(stream.lifecycle()) != Status::Active {
        return Err(ApiError::in_use(format!(
            "Consumer {} with creation timestamp {} under stream: {}, account {ACCOUNT} is not in ACTIVE status.",
            consumer.name,
            consumer.created_ms / 1000,
            stream.name()
        )));
    }
    let name = stream.name().to_owned();
    let (stream, shard) = shard_of(|| Ok(stream), &name, shard.unwrap_or_default())?;
    let place = position.place(&stream, &shard)?;
    wet(input.dry_run)?;
    let key = Key { consumer_arn: arn.to_owned(), shard: shard.number() };
    let names = [&name, &shard_id(shard.number()), &consumer.name];
    let taken_over = call.kinesis.subscriptions().begin(key, names.map(String::as_str), call.kinesis.now_ms())?;
    let consumer_arn = arn.to_owned();
    Ok(Subscription { kinesis: call.kinesis, stream, shard, consumer_arn, format: call.format, place, taken_over })
}
