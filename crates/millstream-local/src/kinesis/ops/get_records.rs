//! GetRecords.

use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;

use super::{Call, blocking, text, wet};
use crate::api_error::ApiError;
use crate::format::Format;
use crate::http::{Body, Outlet};
use crate::kinesis::Kinesis;
use crate::kinesis::answer::Writer;
use crate::kinesis::constraints::Constraints;
use crate::kinesis::input::{Flag, Integer, Word};
use crate::kinesis::iterator::ShardIterator;
use crate::kinesis::page::{Limits, write_page};
use crate::kinesis::region::ACCOUNT;
use crate::kinesis::shard::Shard;
use crate::kinesis::stream::{Stream, shard_id};

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
    dry_run: Option<Flag>,
}

struct Request {
    kinesis: Arc<Kinesis>,
    iterator: ShardIterator,
    stream: Arc<Stream>,
    shard: Arc<Shard>,
    limit: usize,
    now_ms: u64,
    format: Format,
}

pub(super) async fn run(call: Call, body: Bytes) -> Result<Body, ApiError> {
    let input: Input = call.read(&body)?;
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
    let settings = stream.settings();
    call.kinesis.limits().read(stream.shard_name(&settings, shard.number()), now_ms)?;
    wet(input.dry_run)?;
    let limit = input.limit.and_then(|limit| usize::try_from(limit.0).ok()).unwrap_or(MAX_RECORDS);
    let request = Request { kinesis: call.kinesis, iterator, stream, shard, limit, now_ms, format: call.format };
    if request.shard.is_near(request.iterator.place) {
        return answer(&request, Writer::new(request.format, 1024)).map(Body::from);
    }
    let (outlet, mut begun) = Outlet::new(request.kinesis.buffers());
    let written = blocking(move || answer(&request, Writer::flowing(request.format, outlet)));
    tokio::select! {
        Ok(body) = &mut begun => Ok(body),
        // It may have begun to flow and ended in the same instant.
        written = written => begun.try_recv().or_else(|_| written.map(Body::from)),
    }
}

fn find(call: &Call, iterator: &ShardIterator) -> Option<(Arc<Stream>, Arc<Shard>)> {
    let stream = call.kinesis.stream(&call.region, &iterator.stream).ok()?;
    let shard = stream.topology().shards().get(iterator.shard as usize).cloned()?;
    (stream.settings().id == iterator.stream_id && stream.is_usable()).then_some((stream, shard))
}

fn answer(request: &Request, mut writer: Writer) -> Result<Vec<u8>, ApiError> {
    writer.begin_map();
    let limits = Limits { records: request.limit, bytes: MAX_BYTES };
    let page = write_page(&mut writer, (&request.stream, &request.shard), request.iterator.place, limits)?;
    let settings = request.stream.settings();
    let name = request.stream.shard_name(&settings, request.shard.number());
    request.kinesis.limits().gave(name, page.bytes, request.now_ms);
    if !page.ended {
        writer.key("NextShardIterator");
        let next = ShardIterator { created_ms: request.now_ms, place: page.next, ..request.iterator.clone() };
        writer.plain(&next.seal());
    }
    writer.end_map();
    Ok(writer.into_bytes())
}
