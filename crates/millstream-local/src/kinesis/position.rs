//! Where in a shard a reader begins: what GetShardIterator and SubscribeToShard ask for.

use std::sync::Arc;

use super::constraints::Constraints;
use super::input::Timestamp;
use super::iterator::Place;
use super::region::ACCOUNT;
use super::sequence::Sequence;
use super::shard::Shard;
use super::stream::{Stream, shard_id, shard_number};
use crate::api_error::ApiError;

const KINDS: [&str; 5] = ["AFTER_SEQUENCE_NUMBER", "LATEST", "AT_TIMESTAMP", "AT_SEQUENCE_NUMBER", "TRIM_HORIZON"];

/// A position as a request has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position<'a> {
    /// The operation, for messages.
    pub(crate) operation: &'static str,
    pub(crate) kind: Option<&'a str>,
    pub(crate) sequence: Option<&'a str>,
    pub(crate) timestamp: Option<Timestamp>,
}

impl Position<'_> {
    /// The constraints of the kind, by the path of its member.
    pub(crate) fn check_kind(&self, check: &mut Constraints, path: &str) {
        check.required(path, self.kind.is_some());
        check.one_of(path, self.kind, &KINDS);
    }

    /// The place of the position; the constraints have been checked. Reads from the disk for AT_TIMESTAMP.
    pub(crate) fn place(&self, stream: &Stream, shard: &Shard) -> Result<Place, ApiError> {
        match (self.kind.unwrap_or_default(), self.sequence) {
            (kind @ ("AT_SEQUENCE_NUMBER" | "AFTER_SEQUENCE_NUMBER"), Some(number)) => {
                let index = self.index_in(stream, shard, number)?;
                Ok(Place { index: if kind.starts_with("AFTER") { index + 1 } else { index }, arrival_ms: 0 })
            }
            (kind, Some(_)) => Err(wrong_arguments(kind, "also a")),
            (kind @ ("AT_SEQUENCE_NUMBER" | "AFTER_SEQUENCE_NUMBER"), None) => Err(wrong_arguments(kind, "no")),
            ("AT_TIMESTAMP", None) => {
                let arrival_ms = time_of(self.timestamp, stream.now_ms())?;
                shard.at_time(arrival_ms).map_err(|error| ApiError::storage("read a log", &error))
            }
            ("LATEST", None) => Ok(shard.latest()),
            (_, None) => Ok(Place::default()),
        }
    }

    /// The index that a sequence number of this shard stands for.
    fn index_in(&self, stream: &Stream, shard: &Shard, number: &str) -> Result<u64, ApiError> {
        let (name, id) = (stream.name(), shard_id(shard.number()));
        let used = format!(
            "StartingSequenceNumber {number} used in {} on shard {id} in stream {name} under account {ACCOUNT} is \
             invalid",
            self.operation
        );
        let sequence = Sequence::parse(number);
        // The numbers that AWS gave out first are below 2^124 and end in their shard's.
        let first =
            || number.parse().ok().filter(|number: &u128| number >> 124 == 0).map(|number| (number & 0xffff) as u32);
        if let Some(other) =
            sequence.map(|sequence| sequence.shard).or_else(first).filter(|other| *other != shard.number())
        {
            // AWS reads the shard's number with a sign.
            return Err(ApiError::invalid_argument(format!(
                "Invalid StartingSequenceNumber. It encodes shardId-{:012}, while it was used in a call to a shard with \
                 {id}",
                other.cast_signed()
            )));
        }
        let Some(sequence) = sequence else {
            return Err(ApiError::invalid_argument(format!("{used}.")));
        };
        if sequence.opened_secs != shard.sequence(0, 0).opened_secs {
            return Err(ApiError::invalid_argument(format!("{used} because it did not come from this stream.")));
        }
        Ok(sequence.index)
    }
}

/// The shard that a request means, in a stream that may be missing: AWS speaks of the shard then.
pub(crate) fn shard_of(
    stream: impl FnOnce() -> Result<Arc<Stream>, ApiError>,
    stream_name: &str,
    shard: &str,
) -> Result<(Arc<Stream>, Arc<Shard>), ApiError> {
    let number = shard_number_in(stream_name, shard)?;
    let missing = || {
        let shard = shard_id(number);
        let message = format!("Shard {shard} in stream {stream_name} under account {ACCOUNT} does not exist");
        ApiError::not_found(message)
    };
    let stream = stream().map_err(|error| if error.is_not_found() { missing() } else { error })?;
    let shard = stream.shard(shard).map_err(|_| missing())?;
    if !stream.is_usable() || stream.has_expired(&shard) {
        return Err(missing());
    }
    Ok((stream, shard))
}

/// The number in a shard's id. AWS looks at it before it looks for the stream.
pub(crate) fn shard_number_in(stream_name: &str, shard: &str) -> Result<u32, ApiError> {
    shard_number(shard).ok_or_else(|| {
        ApiError::not_found(format!("Could not find shard {shard} in stream {stream_name} under account {ACCOUNT}."))
    })
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
