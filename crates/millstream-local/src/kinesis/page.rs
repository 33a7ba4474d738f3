//! Records of a shard as GetRecords and SubscribeToShard give them.

use std::sync::Arc;

use super::answer::Writer;
use super::digits::Digits;
use super::iterator::Place;
use super::output::ChildShard;
use super::sequence::Sequence;
use super::shard::Shard;
use super::stream::Stream;
use crate::api_error::ApiError;
use crate::storage::frame::Frame;

/// How much goes into one answer or event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) records: usize,
    /// Of data and keys; a first record may be larger.
    pub(crate) bytes: usize,
}

/// Where a page ended.
#[derive(Debug)]
pub(crate) struct PageEnd {
    /// Where the next page begins.
    pub(crate) next: Place,
    /// The sequence number of the last record; `None` if there is no record.
    pub(crate) last: Option<Sequence>,
    /// There was nothing more to read.
    pub(crate) caught_up: bool,
    /// Nor will there ever be.
    pub(crate) ended: bool,
    /// Of data and keys.
    pub(crate) bytes: usize,
}

/// Writes the members `Records`, `MillisBehindLatest` and, at the end of the shard, `ChildShards`.
///
/// Reads from the disk: not for an asynchronous task, unless [`Shard::is_near`] says so.
pub(crate) fn write_page(
    writer: &mut Writer,
    (stream, shard): (&Stream, &Shard),
    place: Place,
    limits: Limits,
) -> Result<PageEnd, ApiError> {
    let now_ms = stream.now_ms();
    let encrypted_ms = stream.settings().encryption.as_ref().map(|encryption| encryption.since_ms);
    // What has expired is not read: an older place moves to the horizon.
    let place = Place { arrival_ms: place.arrival_ms.max(stream.horizon_ms()), ..place };
    let (mut count, mut bytes, mut newest_ms, mut last) = (0, 0, now_ms, None);
    let mut digits = Digits::default();
    writer.key("Records");
    writer.begin_list();
    let read = shard.read(place, |record| {
        let size = record.data.len() + record.partition_key.len();
        if count == limits.records || (count > 0 && bytes + size > limits.bytes) {
            return false;
        }
        let sequence = shard.sequence(record.index, record.arrival_ms);
        write_record(
            writer,
            digits.of(sequence),
            record,
            encrypted_ms.is_some_and(|since_ms| since_ms <= record.arrival_ms),
        );
        writer.flow();
        count += 1;
        bytes += size;
        newest_ms = record.arrival_ms;
        last = Some(sequence);
        true
    });
    let read = read.map_err(|error| ApiError::storage("read a log", &error))?;
    stream.traffic().given(count, bytes);
    writer.end_list();
    writer.key("MillisBehindLatest");
    writer.number(if read.caught_up { 0 } else { now_ms.saturating_sub(newest_ms) });
    if read.ended {
        writer.key("ChildShards");
        writer.value(&children(stream, shard))?;
    }
    Ok(PageEnd { next: read.next, last, caught_up: read.caught_up, ended: read.ended, bytes })
}

fn write_record(writer: &mut Writer, sequence: &str, record: &Frame<'_>, encrypted: bool) {
    writer.begin_map();
    writer.key("SequenceNumber");
    writer.plain(sequence);
    writer.key("ApproximateArrivalTimestamp");
    writer.time(record.arrival_ms);
    writer.key("Data");
    writer.blob(record.data);
    // A record without one was put where keys do not count.
    if !record.partition_key.is_empty() {
        writer.key("PartitionKey");
        writer.text(record.partition_key);
    }
    if encrypted {
        writer.key("EncryptionType");
        writer.plain("KMS");
    }
    writer.end_map();
}

fn children(stream: &Stream, shard: &Shard) -> Vec<ChildShard> {
    let topology = stream.topology();
    let children = topology.shards().iter().filter(|child| child.info().parents.contains(&shard.number()));
    children.map(|child: &Arc<Shard>| ChildShard::from(&**child)).collect()
}
