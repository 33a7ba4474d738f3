//! PutRecords.

use bytes::Bytes;
use serde::Deserialize;

use super::putting::{self, MAX_DATA_BYTES, Placed, Record};
use super::{Call, wet};
use crate::api_error::ApiError;
use crate::kinesis::answer::Writer;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::digits::Digits;
use crate::kinesis::input::{Blob, Flag, Structure, Text};

/// How AWS shows a record in a message about the whole list.
const RECORD: &str = "com.amazonaws.kinesis.v20131202.PutRecordsRequestEntry@c965e310";
const MAX_RECORDS: usize = 500;
/// The most bytes of data and keys in a request (PutRecords in the Kinesis API reference).
const MAX_BYTES: usize = 10 * 1024 * 1024;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Input<'a> {
    #[serde(borrow)]
    records: Option<Vec<Structure<Entry<'a>>>>,
    #[serde(borrow)]
    stream_name: Option<Text<'a>>,
    #[serde(borrow, rename = "StreamARN")]
    stream_arn: Option<Text<'a>>,
    #[serde(borrow)]
    stream_id: Option<Text<'a>>,
    dry_run: Option<Flag>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Entry<'a> {
    #[serde(borrow)]
    partition_key: Option<Text<'a>>,
    #[serde(borrow)]
    explicit_hash_key: Option<Text<'a>>,
    #[serde(borrow)]
    data: Option<Blob<'a>>,
}

pub(super) async fn run(call: Call, body: Bytes) -> Result<Vec<u8>, ApiError> {
    let format = call.format;
    let stored = putting::accepted(call, body, accept).await?;
    let mut writer = Writer::new(format, 64 * 1024);
    let mut digits: Vec<Digits> = Vec::new();
    digits.resize_with(stored.batches(), Digits::default);
    let mut failed = 0;
    writer.begin_map();
    writer.key("Records");
    writer.begin_list();
    for outcome in stored.outcomes() {
        writer.begin_map();
        match outcome {
            Ok(stored) => {
                writer.key("SequenceNumber");
                writer.plain(digits[stored.batch].of(stored.sequence));
                writer.key("ShardId");
                writer.plain(stored.shard_id);
            }
            Err(error) => {
                failed += 1;
                writer.key("ErrorCode");
                writer.text(error.code());
                writer.key("ErrorMessage");
                writer.text(error.message());
            }
        }
        writer.end_map();
    }
    writer.end_list();
    writer.key("FailedRecordCount");
    writer.number(failed);
    writer.key("EncryptionType");
    writer.plain(if stored.is_encrypted() { "KMS" } else { "NONE" });
    writer.end_map();
    Ok(writer.into_bytes())
}

fn accept(call: &Call, body: &[u8]) -> Result<Placed, ApiError> {
    let input: Input<'_> = call.read(body)?;
    let (name, arn) = (input.stream_name.as_ref().map(Text::as_str), input.stream_arn.as_ref().map(Text::as_str));
    let id = input.stream_id.as_ref().map(Text::as_str);
    let entries = input.records.as_deref().unwrap_or_default();
    let (data, ends) = decode(entries)?;

    let mut check = Constraints::default();
    check.required("records", input.records.is_some());
    if input.records.is_some() {
        check.count("records", entries.len(), RECORD, 1, MAX_RECORDS);
    }
    let keyless = entries.iter().any(|entry| entry.partition_key.is_none());
    let needs_key = keyless && putting::needs_key(call, name, arn, id);
    check_entries(&mut check, entries, &ends, needs_key);
    check.stream(name, arn, id);
    check.satisfied()?;

    let stream = call.stream(name, arn, id)?;
    let mut check = Constraints::default();
    check_sizes(&mut check, &ends, putting::max_data_bytes(&stream));
    check.satisfied()?;
    let mut total = data.len();
    let mut records = Vec::with_capacity(entries.len());
    let mut start = 0;
    let keys = entries.iter().map(|entry| {
        let partition_key = entry.partition_key.as_ref().map(Text::as_str).unwrap_or_default();
        (partition_key, entry.explicit_hash_key.as_ref().map(Text::as_str))
    });
    let keys: Vec<_> = keys.collect();
    let hash_keys = putting::hash_keys_of(&stream, &keys)?;
    for (((partition_key, _), hash_key), end) in keys.into_iter().zip(hash_keys).zip(&ends) {
        records.push(Record { hash_key, partition_key, data: &data[start..*end] });
        total += partition_key.len();
        start = *end;
    }
    if total > MAX_BYTES {
        return Err(ApiError::invalid_argument("Records size exceeds 10 MB limit"));
    }
    wet(input.dry_run)?;
    putting::place(call.kinesis.limits(), stream, &records)
}

/// The data of all records in one buffer, and where each ends.
fn decode(entries: &[Structure<Entry<'_>>]) -> Result<(Vec<u8>, Vec<usize>), ApiError> {
    let sizes = entries.iter().filter_map(|entry| entry.data.as_ref()).map(Blob::size_hint);
    let mut data = Vec::with_capacity(sizes.sum());
    let mut ends = Vec::with_capacity(entries.len());
    for entry in entries {
        if let Some(blob) = &entry.data {
            blob.decode(&mut data)?;
        }
        ends.push(data.len());
    }
    Ok((data, ends))
}

fn check_entries(check: &mut Constraints, entries: &[Structure<Entry<'_>>], ends: &[usize], needs_key: bool) {
    for (entry, nth) in entries.iter().zip(1..) {
        // Paths are made for what is wrong only: there may be 500 records.
        let path = |member: &str| format!("records.{nth}.member.{member}");
        match entry.partition_key.as_ref().map(Text::as_str) {
            None => check.required(&path("partitionKey"), !needs_key),
            Some(key) if (1..=256).contains(&key.len()) => {}
            Some(key) => check.length(&path("partitionKey"), key, 1, 256),
        }
        if let Some(key) = &entry.explicit_hash_key {
            check.hash_key(&path("explicitHashKey"), Some(key.as_str()));
        }
        if entry.data.is_none() {
            check.required(&path("data"), false);
        }
    }
    check_sizes(check, ends, MAX_DATA_BYTES);
}

fn check_sizes(check: &mut Constraints, ends: &[usize], most: usize) {
    let mut start = 0;
    for (end, nth) in ends.iter().zip(1..) {
        if end - start > most {
            check.blob(&format!("records.{nth}.member.data"), end - start, most);
        }
        start = *end;
    }
}
