//! Records that are written together.

use tokio::sync::oneshot;

use super::NotWritten;
use crate::storage::frame::Frame;
use crate::storage::marks::{MARK_BYTES, Mark};

/// Consecutive records on their way to a segment.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) bytes: Vec<u8>,
    /// With offsets within `bytes`.
    pub(super) marks: Vec<Mark>,
    pub(super) first_index: u64,
    pub(super) first_arrival_ms: u64,
    pub(super) last_index: u64,
    pub(super) last_arrival_ms: u64,
    pub(super) waiters: Vec<oneshot::Sender<Result<(), NotWritten>>>,
}

impl Group {
    pub(super) fn starting_at(first_index: u64, first_arrival_ms: u64) -> Self {
        Self {
            bytes: Vec::new(),
            marks: Vec::new(),
            first_index,
            first_arrival_ms,
            last_index: first_index,
            last_arrival_ms: first_arrival_ms,
            waiters: Vec::new(),
        }
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

    /// Tells those that wait how it went. A client that has gone away no longer waits.
    pub(super) fn finish(&mut self, result: Result<(), NotWritten>) {
        for waiter in self.waiters.drain(..) {
            let _ = waiter.send(result);
        }
    }
}
