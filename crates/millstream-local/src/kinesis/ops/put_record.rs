//! PutRecord.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::putting::{self, MAX_DATA_BYTES, Placed, Record};
use super::{Call, wet};
use crate::api_error::ApiError;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::input::{Blob, Flag, Text};
use crate::kinesis::region::ACCOUNT;
use crate::kinesis::sequence::Sequence;

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Input<'a> {
    #[serde(borrow)]
    sequence_number_for_ordering: Option<Text<'a>>,
    #[serde(borrow)]
    partition_key: Option<Text<'a>>,
    #[serde(borrow)]
    explicit_hash_key: Option<Text<'a>>,
    #[serde(borrow)]
    data: Option<Blob<'a>>,
    #[serde(borrow)]
    stream_name: Option<Text<'a>>,
    #[serde(borrow, rename = "StreamARN")]
    stream_arn: Option<Text<'a>>,
    #[serde(borrow)]
    stream_id: Option<Text<'a>>,
    dry_run: Option<Flag>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output<'a> {
    shard_id: &'a str,
    sequence_number: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    encryption_type: Option<&'static str>,
}

pub(super) async fn run(call: Call, body: Bytes) -> Result<Vec<u8>, ApiError> {
    let format = call.format;
    let stored = putting::accepted(call, body, accept).await?;
    let record = stored.outcomes().next().unwrap_or_else(|| Err(ApiError::internal()))?;
    let encryption_type = stored.is_encrypted().then_some("KMS");
    format.write(&Output { shard_id: record.shard_id, sequence_number: record.sequence.to_string(), encryption_type })
}

fn accept(call: &Call, body: &[u8]) -> Result<Placed, ApiError> {
    let input: Input<'_> = call.read(body)?;
    let (name, arn) = (input.stream_name.as_ref().map(Text::as_str), input.stream_arn.as_ref().map(Text::as_str));
    let id = input.stream_id.as_ref().map(Text::as_str);
    let ordering = input.sequence_number_for_ordering.as_ref().map(Text::as_str);
    let partition_key = input.partition_key.as_ref().map(Text::as_str);
    let explicit = input.explicit_hash_key.as_ref().map(Text::as_str);
    let mut data = Vec::new();
    if let Some(blob) = &input.data {
        blob.decode(&mut data)?;
    }
    let mut check = Constraints::default();
    check.sequence_number("sequenceNumberForOrdering", ordering);
    check.required("partitionKey", partition_key.is_some() || !putting::needs_key(call, name, arn, id));
    if let Some(key) = partition_key {
        check.length("partitionKey", key, 1, 256);
    }
    check.hash_key("explicitHashKey", explicit);
    check.required("data", input.data.is_some());
    check.blob("data", data.len(), MAX_DATA_BYTES);
    check.stream(name, arn, id);
    check.satisfied()?;

    let stream = call.stream(name, arn, id)?;
    let mut check = Constraints::default();
    check.blob("data", data.len(), putting::max_data_bytes(&stream));
    check.satisfied()?;
    let partition_key = partition_key.unwrap_or_default();
    let hash_keys = putting::hash_keys_of(&stream, &[(partition_key, explicit)])?;
    if let Some(number) = ordering {
        // Sequence numbers grow within a shard whether or not a request asks for it. Those of a new child are dated to the
        // second after this one.
        let latest = call.kinesis.now_ms() / 1000 + 1;
        let sequence = Sequence::parse(number).filter(|sequence| sequence.arrival_secs <= latest);
        if sequence.is_none() {
            return Err(ApiError::invalid_argument(format!(
                "ExclusiveMinimumSequenceNumber {number} used in PutRecord on stream {} under account {ACCOUNT} is \
                 invalid.",
                stream.name()
            )));
        }
    }
    wet(input.dry_run)?;
    let records = hash_keys.into_iter().map(|hash_key| Record { hash_key, partition_key, data: &data });
    putting::place(call.kinesis.limits(), stream, &records.collect::<Vec<_>>())
}
