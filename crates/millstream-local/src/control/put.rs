//! `POST /_millstream/put/REGION/STREAM`: a record by hand, as PutRecord takes it.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Refused, body_of, region_and_name};
use crate::format::Format;
use crate::http::{Body, ControlCall};
use crate::kinesis::Kinesis;

/// A record as JSON. Its data are text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    partition_key: String,
    data: String,
    #[serde(default)]
    explicit_hash_key: Option<String>,
}

pub(super) async fn answer(kinesis: &Arc<Kinesis>, call: &ControlCall, rest: &str) -> Result<Value, Refused> {
    let (region, name) = region_and_name(rest);
    let record: Record =
        serde_json::from_value(body_of(call)?).map_err(|error| Refused::bad_request(error.to_string()))?;
    let mut input = json!({
        "StreamName": name,
        "PartitionKey": record.partition_key,
        "Data": base64_simd::STANDARD.encode_to_string(record.data),
    });
    if let Some(key) = record.explicit_hash_key {
        input["ExplicitHashKey"] = key.into();
    }
    let reply = kinesis.answer(region, Format::Json11, "PutRecord", input.to_string().into()).await;
    let answer: Value = match reply.body {
        Body::Whole(bytes) => serde_json::from_slice(&bytes).unwrap_or_default(),
        Body::Growing(_) | Body::Pieces { .. } => Value::Null,
    };
    if reply.status == 200 {
        return Ok(answer);
    }
    let text = |member: &str| answer[member].as_str().unwrap_or_default().to_owned();
    Err(Refused { status: reply.status, reason: format!("{}: {}", text("__type"), text("message")) })
}
