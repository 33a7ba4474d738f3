//! What PutRecord and PutRecords share: from records to places in shards.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::Call;
use crate::api_error::ApiError;
use crate::kinesis::hash_key;
use crate::kinesis::limits::Limits;
use crate::kinesis::region::ACCOUNT;
use crate::kinesis::sequence::Sequence;
use crate::kinesis::shard::Shard;
use crate::kinesis::stream::{Distribution, Stream, shard_id};
use crate::storage::{Appended, NotWritten, Submission};

/// The most bytes of data of a record in any stream.
pub(super) const MAX_DATA_BYTES: usize = 10 * 1024 * 1024;
/// Larger requests are read beside the connections: reading them takes a good part of a millisecond.
const LARGE_BODY_BYTES: usize = 256 * 1024;

/// A record on its way to a shard.
pub(super) struct Record<'a> {
    pub(super) hash_key: u128,
    pub(super) partition_key: &'a str,
    pub(super) data: &'a [u8],
}

/// Records with their places, which may still have to reach the disk.
pub(super) struct Placed {
    stream: Arc<Stream>,
    batches: Vec<(Arc<Shard>, Result<Appended, NotWritten>)>,
    /// Which batch each record is in, and at which place there.
    records: Vec<(usize, u64)>,
}

/// Records that are stored, or not.
pub(super) struct Stored {
    stream: Arc<Stream>,
    batches: Vec<StoredBatch>,
    records: Vec<(usize, u64)>,
}

/// Where a record is stored.
pub(super) struct StoredRecord<'a> {
    /// The number of its batch; the records of one follow each other in a shard.
    pub(super) batch: usize,
    pub(super) shard_id: &'a str,
    pub(super) sequence: Sequence,
}

struct StoredBatch {
    shard: Arc<Shard>,
    shard_id: String,
    first: Result<(u64, u64), NotWritten>,
}

/// The hash keys of records with these partition keys and explicit hash keys: the explicit one, which has to be one, or that
/// of the partition key. Neither counts in a stream that distributes records itself.
pub(super) fn hash_keys_of(stream: &Stream, records: &[(&str, Option<&str>)]) -> Result<Vec<u128>, ApiError> {
    if stream.settings().distribution == Distribution::Auto {
        return Ok(records.iter().map(|_| hash_key::next_even()).collect());
    }
    let partition_keys: Vec<&str> = records.iter().map(|(partition_key, _)| *partition_key).collect();
    let hashed = hash_key::of_partition_keys(&partition_keys);
    let explicit = records.iter().map(|(_, explicit)| *explicit);
    explicit.zip(hashed).map(|(explicit, hashed)| explicit.map_or(Ok(hashed), parse)).collect()
}

fn parse(explicit: &str) -> Result<u128, ApiError> {
    explicit.parse().map_err(|_| {
        ApiError::invalid_argument(format!(
            "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was {explicit}"
        ))
    })
}

/// Hands records to their shards, in their order within each.
pub(super) fn place(limits: &Limits, stream: Arc<Stream>, records: &[Record<'_>]) -> Result<Placed, ApiError> {
    if !stream.is_usable() {
        // AWS does not know such a stream here.
        let message = format!("Stream {} under account {ACCOUNT} not found.", stream.name());
        return Err(ApiError::not_found(message));
    }
    let now_ms = stream.now_ms();
    let settings = stream.settings();
    let topology = stream.topology();
    let mut by_shard: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (at, record) in records.iter().enumerate() {
        let shard = topology.route(record.hash_key).ok_or_else(ApiError::internal)?;
        by_shard.entry(shard.number()).or_default().push(at);
    }
    let mut batches = Vec::new();
    let mut submission = Submission::default();
    let mut places = vec![(0, 0); records.len()];
    for (number, batch) in by_shard {
        let Some(shard) = topology.shards().get(number as usize) else { continue };
        let name = stream.shard_name(&settings, shard.number());
        let (taken, refused): (Vec<usize>, Vec<usize>) = batch.into_iter().partition(|at| {
            let size = records[*at].partition_key.len() + records[*at].data.len();
            limits.take_record(name, size, now_ms)
        });
        for (at, nth) in taken.iter().zip(0..) {
            places[*at] = (batches.len(), nth);
        }
        if !taken.is_empty() {
            let own = taken.iter().map(|at| (records[*at].partition_key, records[*at].data));
            let bytes = own.clone().map(|(key, data)| key.len() + data.len()).sum();
            stream.traffic().put(taken.len(), bytes);
            batches.push((Arc::clone(shard), shard.append(own, now_ms, &mut submission)));
        }
        for at in &refused {
            places[*at] = (batches.len(), 0);
        }
        if !refused.is_empty() {
            batches.push((Arc::clone(shard), Err(NotWritten::Busy)));
        }
    }
    submission.submit();
    drop(topology);
    Ok(Placed { stream, batches, records: places })
}

impl Placed {
    /// Waits for the disk.
    pub(super) async fn stored(self) -> Stored {
        let mut batches = Vec::with_capacity(self.batches.len());
        for (shard, appended) in self.batches {
            let first = match appended {
                Ok(appended) => {
                    let first = (appended.first_index, appended.arrival_ms);
                    appended.written().await.map(|()| first)
                }
                Err(error) => Err(error),
            };
            batches.push(StoredBatch { shard_id: shard_id(shard.number()), shard, first });
        }
        Stored { stream: self.stream, batches, records: self.records }
    }
}

impl Stored {
    pub(super) fn is_encrypted(&self) -> bool {
        self.stream.settings().encryption.is_some()
    }

    /// How many batches the records are in.
    pub(super) fn batches(&self) -> usize {
        self.batches.len()
    }

    /// Where each record is, or why it was not stored, in the order of the request.
    pub(super) fn outcomes(&self) -> impl Iterator<Item = Result<StoredRecord<'_>, ApiError>> {
        self.records.iter().map(|(number, nth)| {
            let batch = &self.batches[*number];
            match batch.first {
                Ok((first, arrival_ms)) => Ok(StoredRecord {
                    batch: *number,
                    shard_id: &batch.shard_id,
                    sequence: batch.shard.sequence(first + nth, arrival_ms),
                }),
                Err(NotWritten::Failed) => Err(ApiError::internal()),
                Err(NotWritten::Busy) => {
                    Err(self.stream.shard_name(&self.stream.settings(), batch.shard.number()).exceeded())
                }
            }
        })
    }
}

/// Whether records need a partition key. To be asked for those without: it costs looking for the stream.
pub(super) fn needs_key(call: &Call, name: Option<&str>, arn: Option<&str>, id: Option<&str>) -> bool {
    let stream = call.stream(name, arn, id);
    stream.map_or(true, |stream| stream.settings().distribution == Distribution::UserPartitionKey)
}

/// A record may be as large as its stream allows.
pub(super) fn max_data_bytes(stream: &Stream) -> usize {
    stream.settings().max_record_kib as usize * 1024
}

/// Runs `accept` here for a small request and beside the connections for a large one.
pub(super) async fn accepted(
    call: Call,
    body: Bytes,
    accept: fn(&Call, &[u8]) -> Result<Placed, ApiError>,
) -> Result<Stored, ApiError> {
    let placed = if body.len() > LARGE_BODY_BYTES {
        super::blocking(move || accept(&call, &body)).await?
    } else {
        accept(&call, &body)?
    };
    Ok(placed.stored().await)
}
