//! All answers of GetRecords that a stream has, as they come over the wire.

use std::error::Error;

use serde::Deserialize;
use serde_json::{Value, json};

/// How answers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    Cbor,
    Json,
}

impl Written {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Written::Cbor => "CBOR",
            Written::Json => "JSON",
        }
    }

    pub(crate) fn parse<'a, T: Deserialize<'a>>(self, body: &'a [u8]) -> Result<T, Box<dyn Error>> {
        Ok(match self {
            Written::Cbor => millstream_cbor::from_slice(body)?,
            Written::Json => serde_json::from_slice(body)?,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Shards {
    shards: Vec<Shard>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Shard {
    shard_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Iterator {
    shard_iterator: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Next {
    next_shard_iterator: Option<String>,
    millis_behind_latest: u64,
}

/// Reads each shard from its oldest record to its tip.
pub(crate) fn read(endpoint: &str, stream: &str, written: Written) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let mut answers = Vec::new();
    let listed = call(endpoint, "ListShards", Written::Json, &json!({ "StreamName": stream }))?;
    for Shard { shard_id } in Written::Json.parse::<Shards>(&listed)?.shards {
        let asked = json!({ "StreamName": stream, "ShardId": shard_id, "ShardIteratorType": "TRIM_HORIZON" });
        let first = call(endpoint, "GetShardIterator", Written::Json, &asked)?;
        let mut iterator = Some(Written::Json.parse::<Iterator>(&first)?.shard_iterator);
        while let Some(from) = iterator {
            let answer = call(endpoint, "GetRecords", written, &json!({ "ShardIterator": from, "Limit": 10_000 }))?;
            let next: Next = written.parse(&answer)?;
            answers.push(answer);
            iterator = next.next_shard_iterator.filter(|_| next.millis_behind_latest > 0);
        }
    }
    Ok(answers)
}

/// A call that is not signed: the local service does not look at signatures.
fn call(endpoint: &str, name: &str, written: Written, asked: &Value) -> Result<Vec<u8>, Box<dyn Error>> {
    let (version, body) = match written {
        Written::Cbor => ("cbor", millstream_cbor::to_vec(asked)?),
        Written::Json => ("json", serde_json::to_vec(asked)?),
    };
    let sent = ureq::post(endpoint)
        .header("Content-Type", format!("application/x-amz-{version}-1.1"))
        .header("X-Amz-Target", format!("Kinesis_20131202.{name}"))
        .header("X-Amz-Date", "20260102T000000Z")
        .header(
            "Authorization",
            "AWS4-HMAC-SHA256 Credential=local/20260102/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=0",
        )
        .send(body)?;
    Ok(sent.into_body().into_with_config().limit(u64::MAX).read_to_vec()?)
}
