//! GetRecords. The answer is written straight into bytes: at 10,000 records nothing else would be quick.

use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;

use super::{Call, blocking, json, text};
use crate::api_error::ApiError;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::input::{self, Integer, Word};
use crate::kinesis::iterator::{Place, ShardIterator};
use crate::kinesis::output::ChildShard;
use crate::kinesis::region::ACCOUNT;
use crate::kinesis::shard::Shard;
use crate::kinesis::stream::{Stream, shard_id};
use crate::storage::frame::Frame;

/// Records in an answer that does not say how many, and the most.
const MAX_RECORDS: usize = 10_000;
/// The most bytes of data and keys in an answer (GetRecords in the Kinesis API reference).
const MAX_BYTES: usize = 10 * 1024 * 1024;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Input {
    limit: Option<Integer>,
    shard_iterator: Option<Word>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<Word>,
    stream_id: Option<Word>,
}

struct Request {
    iterator: ShardIterator,
    stream: Arc<Stream>,
    shard: Arc<Shard>,
    limit: usize,
    now_ms: u64,
}

pub(super) async fn run(call: Call, body: Bytes) -> Result<Vec<u8>, ApiError> {
    let input: Input = input::read(&body)?;
    let iterator = text(input.shard_iterator.as_ref());
    let mut check = Constraints::default();
    check.range("limit", input.limit.map(|limit| limit.0), 1, 10_000);
    check.required("shardIterator", iterator.is_some());
    if let Some(iterator) = iterator {
        check.length("shardIterator", iterator, 1, 512);
    }
    check.stream_arn(text(input.stream_arn.as_ref()));
    check.stream_id(text(input.stream_id.as_ref()));
    check.satisfied()?;

    let now_ms = call.kinesis.now_ms();
    let iterator = ShardIterator::open(iterator.unwrap_or_default(), now_ms)?;
    let (stream, shard) = find(&call, &iterator).ok_or_else(|| {
        let (shard, stream) = (shard_id(iterator.shard), &iterator.stream);
        let message = format!("Shard {shard} in stream {stream} under account {ACCOUNT} does not exist");
        ApiError::not_found(message)
    })?;
    let limit = input.limit.and_then(|limit| usize::try_from(limit.0).ok()).unwrap_or(MAX_RECORDS);
    let request = Request { iterator, stream, shard, limit, now_ms };
    if request.shard.is_caught_up(request.iterator.place) {
        answer(&request)
    } else {
        blocking(move || answer(&request)).await
    }
}

fn find(call: &Call, iterator: &ShardIterator) -> Option<(Arc<Stream>, Arc<Shard>)> {
    let stream = call.kinesis.stream(&call.region, &iterator.stream).ok()?;
    let shard = stream.topology().shards().get(iterator.shard as usize).cloned()?;
    (stream.settings().id == iterator.stream_id && stream.is_usable()).then_some((stream, shard))
}

fn answer(request: &Request) -> Result<Vec<u8>, ApiError> {
    let shard = &request.shard;
    let mut out = br#"{"Records":["#.to_vec();
    let (mut count, mut bytes, mut newest_ms) = (0, 0, request.now_ms);
    let encrypted_ms = request.stream.settings().encryption.as_ref().map(|encryption| encryption.since_ms);
    // What has expired is not read: an older iterator moves to the horizon.
    let place = request.iterator.place;
    let place = Place { arrival_ms: place.arrival_ms.max(request.stream.horizon_ms()), ..place };
    let read = shard.read(place, |record| {
        let size = record.data.len() + record.partition_key.len();
        if count == request.limit || (count > 0 && bytes + size > MAX_BYTES) {
            return false;
        }
        if count > 0 {
            out.push(b',');
        }
        write_record(&mut out, shard, record, encrypted_ms.is_some_and(|since_ms| since_ms <= record.arrival_ms));
        count += 1;
        bytes += size;
        newest_ms = record.arrival_ms;
        true
    });
    let read = read.map_err(|error| ApiError::storage("read a log", &error))?;
    let behind_ms = if read.caught_up { 0 } else { request.now_ms.saturating_sub(newest_ms) };

    out.extend_from_slice(br#"],"MillisBehindLatest":"#);
    push_number(&mut out, behind_ms);
    if read.ended {
        out.extend_from_slice(br#","ChildShards":"#);
        out.extend_from_slice(&json(&children(request))?);
    } else {
        out.extend_from_slice(br#","NextShardIterator":""#);
        out.extend_from_slice(next(request, read.next).seal().as_bytes());
        out.push(b'"');
    }
    out.push(b'}');
    Ok(out)
}

fn next(request: &Request, place: Place) -> ShardIterator {
    ShardIterator { created_ms: request.now_ms, place, ..request.iterator.clone() }
}

fn children(request: &Request) -> Vec<ChildShard> {
    let parent = request.shard.number();
    let topology = request.stream.topology();
    let children = topology.shards().iter().filter(|shard| shard.info().parents.contains(&parent));
    children.map(|shard| ChildShard::from(&**shard)).collect()
}

fn write_record(out: &mut Vec<u8>, shard: &Shard, record: &Frame<'_>, encrypted: bool) {
    out.extend_from_slice(br#"{"SequenceNumber":""#);
    out.extend_from_slice(&shard.sequence(record.index, record.arrival_ms).digits());
    out.extend_from_slice(br#"","ApproximateArrivalTimestamp":"#);
    push_number(out, record.arrival_ms / 1000);
    let millis = record.arrival_ms % 1000;
    out.push(b'.');
    for place in [100, 10, 1] {
        out.push(b'0' + (millis / place % 10) as u8);
    }
    out.extend_from_slice(br#","Data":""#);
    base64_simd::STANDARD.encode_append(record.data, out);
    out.extend_from_slice(br#"","PartitionKey":"#);
    push_text(out, record.partition_key);
    if encrypted {
        out.extend_from_slice(br#","EncryptionType":"KMS""#);
    }
    out.push(b'}');
}

fn push_number(out: &mut Vec<u8>, number: u64) {
    // Writing to a vector does not fail.
    let _ = write!(out, "{number}");
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        // Nor does a string fail to serialise.
        let _ = serde_json::to_writer(out, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_written_as_json() {
        for key in ["plain", "schlüssel", "quo\"te", "back\\slash", "line\nbreak", "\u{1}", "\u{7f}"] {
            let mut out = Vec::new();
            push_text(&mut out, key);
            assert_eq!(serde_json::from_slice::<String>(&out).ok().as_deref(), Some(key));
        }
    }
}
