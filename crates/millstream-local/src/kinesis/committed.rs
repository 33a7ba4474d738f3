//! What readers see of a shard's log, and the groups of records that join it.

use tokio::sync::oneshot;

use super::shard::NotWritten;
use crate::storage::frame::Frame;

/// A mark is kept for about every so many bytes of a log: finding a record reads no more than this too much.
pub(super) const MARK_BYTES: usize = 64 * 1024;

/// The part of a log that has been written and synced.
#[derive(Debug, Default)]
pub(crate) struct Committed {
    pub(super) end: u64,
    pub(super) last_index: u64,
    pub(super) last_arrival_ms: u64,
    marks: Vec<Mark>,
}

/// Records that go to the log together, with one sync.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) bytes: Vec<u8>,
    pub(super) waiters: Vec<oneshot::Sender<Result<(), NotWritten>>>,
    /// With offsets within `bytes`.
    marks: Vec<Mark>,
    last_index: u64,
    last_arrival_ms: u64,
}

/// Where a frame starts, and which record it holds.
#[derive(Clone, Copy, Debug)]
struct Mark {
    offset: u64,
    index: u64,
    arrival_ms: u64,
}

impl Committed {
    /// Takes in a record found in the log when the server starts.
    pub(super) fn recover(&mut self, offset: u64, record: &Frame<'_>) {
        if self.marks.last().is_none_or(|mark| offset - mark.offset >= MARK_BYTES as u64) {
            self.marks.push(Mark { offset, index: record.index, arrival_ms: record.arrival_ms });
        }
        self.last_index = record.index;
        self.last_arrival_ms = record.arrival_ms;
    }

    /// Takes in a group that has been written.
    pub(super) fn add(&mut self, group: &Group) {
        let start = self.end;
        self.marks.extend(group.marks.iter().map(|mark| Mark { offset: start + mark.offset, ..*mark }));
        self.end += group.bytes.len() as u64;
        self.last_index = group.last_index;
        self.last_arrival_ms = group.last_arrival_ms;
    }

    /// The offset of a frame at or before the one of a record.
    pub(super) fn offset_of(&self, index: u64) -> u64 {
        let after = self.marks.partition_point(|mark| mark.index <= index);
        after.checked_sub(1).map_or(0, |at| self.marks[at].offset)
    }

    /// The index of a record before all that arrived at a time or later, or of the first of all.
    pub(super) fn index_before(&self, arrival_ms: u64) -> u64 {
        let after = self.marks.partition_point(|mark| mark.arrival_ms < arrival_ms);
        after.checked_sub(1).map_or(0, |at| self.marks[at].index)
    }
}

impl Group {
    /// A group without records, with the buffer of an earlier one.
    pub(super) fn reusing(mut bytes: Vec<u8>) -> Self {
        bytes.clear();
        Self { bytes, ..Self::default() }
    }

    /// Adds a record; `since_mark` counts the bytes of the log since the last mark.
    pub(super) fn push(&mut self, record: &Frame<'_>, since_mark: &mut usize) {
        let offset = self.bytes.len();
        if *since_mark >= MARK_BYTES {
            *since_mark = 0;
            self.marks.push(Mark { offset: offset as u64, index: record.index, arrival_ms: record.arrival_ms });
        }
        record.write(&mut self.bytes);
        *since_mark += self.bytes.len() - offset;
        self.last_index = record.index;
        self.last_arrival_ms = record.arrival_ms;
    }
}
