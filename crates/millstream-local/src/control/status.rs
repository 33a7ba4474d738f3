//! What the pages show of streams: shards, consumers, the newest records.

use std::cmp::Reverse;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Refused, decoded, region_and_name};
use crate::kinesis::{Kinesis, ShardOutput, Stream, consumers_of, shard_id};

/// Records shown of a stream, and shards that are looked into for them.
const RECORDS: usize = 20;
const LOOKED_INTO: usize = 32;
/// Shards shown of a stream.
const SHARDS: usize = 1000;

/// `/_millstream/status`: the streams of all regions, with what went in and out since the start.
pub(super) fn all(kinesis: &Kinesis) -> Value {
    let streams: Vec<Value> = kinesis.all_streams().iter().map(|stream| shown(stream)).collect();
    json!({
        "now_ms": kinesis.now_ms(),
        "version": env!("CARGO_PKG_VERSION"),
        "subscriptions": kinesis.subscriptions().open(),
        "streams": streams,
    })
}

fn shown(stream: &Stream) -> Value {
    let settings = stream.settings();
    let traffic = stream.traffic();
    let topology = stream.topology();
    json!({
        "region": settings.region,
        "name": stream.name(),
        "status": stream.status(),
        "mode": settings.mode,
        "retention_hours": settings.retention_hours,
        "open_shards": topology.open().len(),
        "shards": topology.shards().len(),
        "consumers": settings.consumers.len(),
        "records_in": traffic.records_in(),
        "bytes_in": traffic.bytes_in(),
        "records_out": traffic.records_out(),
        "bytes_out": traffic.bytes_out(),
    })
}

fn stream_of(kinesis: &Kinesis, rest: &str) -> Result<Arc<Stream>, Refused> {
    let (region, name) = region_and_name(rest);
    let missing =
        |_| Refused { status: 404, reason: format!("there is no stream {name} in {}", String::from(region.clone())) };
    kinesis.stream(&region, name).map_err(missing)
}

/// `/_millstream/shards/REGION/STREAM`: the shards as ListShards shows them, the newest first.
pub(super) fn shards(kinesis: &Kinesis, rest: &str) -> Result<Value, Refused> {
    let shards = stream_of(kinesis, rest)?.visible_shards();
    let shown: Vec<ShardOutput> = shards.iter().rev().take(SHARDS).map(|shard| ShardOutput::from(&**shard)).collect();
    Ok(json!({"shards": shown, "left_out": shards.len() - shown.len()}))
}

/// `/_millstream/consumers/REGION/STREAM`: the consumers with enhanced fan-out, and the shards that each is subscribed to.
pub(super) fn consumers(kinesis: &Kinesis, rest: &str) -> Result<Value, Refused> {
    let stream = stream_of(kinesis, rest)?;
    let shown = consumers_of(&stream).into_iter().map(|consumer| {
        let arn = consumer.arn(&stream);
        let shards: Vec<String> = kinesis.subscriptions().shards_of(&arn).into_iter().map(shard_id).collect();
        json!({
            "name": consumer.name,
            "status": consumer.status(stream.lifecycle()),
            "created_ms": consumer.created_ms,
            "subscriptions": shards,
            "arn": arn,
        })
    });
    Ok(json!({"consumers": shown.collect::<Vec<_>>()}))
}

/// `/_millstream/records/REGION/STREAM`: the newest records, the newest first.
pub(super) async fn records(kinesis: &Kinesis, rest: &str) -> Result<Value, Refused> {
    let stream = stream_of(kinesis, rest)?;
    // Reads from the disk.
    let read = tokio::task::spawn_blocking(move || newest(&stream)).await;
    read.map(|records| json!({"records": records})).map_err(|error| {
        tracing::error!(%error, "the newest records could not be read");
        Refused { status: 500, reason: "the newest records could not be read; the log says why".to_owned() }
    })
}

fn newest(stream: &Stream) -> Vec<Value> {
    let shards: Vec<Arc<_>> = stream.topology().shards().iter().rev().take(LOOKED_INTO).cloned().collect();
    let mut newest: Vec<(Reverse<u64>, usize, Value)> = Vec::new();
    for shard in shards {
        let mut records = Vec::new();
        let read = shard.newest(RECORDS, |record| {
            let mut value = decoded::decoded(record.data);
            value["arrival_ms"] = record.arrival_ms.into();
            value["shard"] = shard_id(shard.number()).into();
            value["partition_key"] = record.partition_key.into();
            records.push((record.arrival_ms, value));
        });
        if let Err(error) = read {
            tracing::error!(%error, shard = shard.number(), "cannot read the newest records of a shard");
        }
        // Of one millisecond, the last of each shard come first.
        let ranked = records.into_iter().rev().enumerate();
        newest.extend(ranked.map(|(rank, (arrival_ms, record))| (Reverse(arrival_ms), rank, record)));
    }
    newest.sort_by_key(|(arrival, rank, _)| (*arrival, *rank));
    newest.into_iter().take(RECORDS).map(|(.., record)| record).collect()
}
