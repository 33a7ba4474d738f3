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
use crate::format::Format;
use crate::storage::frame::Frame;
use crate::storage::{Block, Passage, Take};

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

/// Takes records into an answer.
struct Records<'a> {
    writer: &'a mut Writer,
    shard: &'a Shard,
    limits: Limits,
    /// Records that have arrived since are encrypted.
    encrypted_ms: Option<u64>,
    digits: Digits,
    count: usize,
    /// Of data and keys.
    bytes: usize,
    /// Index and arrival of the last record.
    last: Option<(u64, u64)>,
}

impl<'a> Records<'a> {
    fn new(writer: &'a mut Writer, shard: &'a Shard, limits: Limits, encrypted_ms: Option<u64>) -> Self {
        Self { writer, shard, limits, encrypted_ms, digits: Digits::default(), count: 0, bytes: 0, last: None }
    }

    fn has_room(&self, records: usize, bytes: usize) -> bool {
        self.count + records <= self.limits.records && (self.count == 0 || self.bytes + bytes <= self.limits.bytes)
    }

    fn taken(&mut self, records: usize, bytes: usize, last: (u64, u64)) {
        self.count += records;
        self.bytes += bytes;
        self.last = Some(last);
    }
}

impl Take for Records<'_> {
    #[inline(always)]
    fn record(&mut self, record: &Frame<'_>) -> bool {
        let size = record.data.len() + record.partition_key.len();
        if !self.has_room(1, size) {
            return false;
        }
        let sequence = self.digits.of(self.shard.sequence(record.index, record.arrival_ms));
        let encrypted = self.encrypted_ms.is_some_and(|since_ms| since_ms <= record.arrival_ms);
        write_record(self.writer, sequence, record, encrypted);
        self.writer.flow();
        self.taken(1, size, (record.index, record.arrival_ms));
        true
    }

    fn block(&mut self, block: &Block) -> bool {
        // Encryption may begin and end, and a passage stays.
        if !self.writer.flows() || self.encrypted_ms.is_some() || !self.has_room(block.records(), 0) {
            return false;
        }
        let format = self.writer.format();
        let Some(passage) = block.passage(format, |records| passage(format, self.shard, records)) else { return false };
        let fits = self.has_room(block.records(), passage.size) && passage.size <= self.limits.bytes;
        if fits {
            self.writer.splice(&passage.bytes);
            self.taken(block.records(), passage.size, passage.last);
        }
        fits
    }
}

/// Consecutive records, none of which is encrypted.
fn passage(format: Format, shard: &Shard, frames: &mut dyn Iterator<Item = Frame<'_>>) -> Passage {
    let mut writer = Writer::passage(format, 0);
    let all = Limits { records: usize::MAX, bytes: usize::MAX };
    let mut records = Records::new(&mut writer, shard, all, None);
    for record in frames {
        records.record(&record);
    }
    let (size, last) = (records.bytes, records.last.unwrap_or_default());
    Passage { bytes: writer.into_bytes().into(), size, last }
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
    writer.key("Records");
    writer.begin_list();
    let mut records = Records::new(writer, shard, limits, encrypted_ms);
    let read = shard.read(place, &mut records).map_err(|error| ApiError::storage("read a log", &error))?;
    let Records { count, bytes, last, .. } = records;
    stream.traffic().given(count, bytes);
    writer.end_list();
    writer.key("MillisBehindLatest");
    let newest_ms = last.map_or(now_ms, |(_, arrival_ms)| arrival_ms);
    writer.number(if read.caught_up { 0 } else { now_ms.saturating_sub(newest_ms) });
    if read.ended {
        writer.key("ChildShards");
        writer.value(&children(stream, shard))?;
    }
    let last = last.map(|(index, arrival_ms)| shard.sequence(index, arrival_ms));
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
