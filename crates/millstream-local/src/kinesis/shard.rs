//! One shard: its place in the stream, its records, its group commit.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, oneshot};

use super::committed::{Committed, Group, MARK_BYTES};
use super::iterator::Place;
use super::sequence::Sequence;
use crate::storage::frame::{self, Frame, Parsed};
use crate::storage::{AppendError, Log};

/// Bytes that may wait for the disk before records are refused.
const MAX_PENDING_BYTES: usize = 64 * 1024 * 1024;
/// Bytes read from a log at a time.
const READ_BYTES: usize = 128 * 1024;

/// What is written down about a shard, in the metadata file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShardInfo {
    pub(crate) number: u32,
    /// None for a first shard, one after a split, two after a merge: the one to merge, then the adjacent one.
    pub(crate) parents: Vec<u32>,
    #[serde(with = "super::hash_key::decimal")]
    pub(crate) start_hash: u128,
    #[serde(with = "super::hash_key::decimal")]
    pub(crate) end_hash: u128,
    /// The second in its sequence numbers: when it was opened, or later to stand above its parents.
    pub(crate) opened_secs: u64,
    pub(crate) opened_ms: u64,
    pub(crate) closed_ms: Option<u64>,
}

/// A shard that is open, or closed by a split or merge and still readable.
#[derive(Debug)]
pub(crate) struct Shard {
    info: ShardInfo,
    closed_ms: OnceLock<u64>,
    log: Log,
    state: Mutex<State>,
    /// Records have been stored, or the shard has closed.
    changed: Notify,
}

/// What is in the log, and what waits to get there.
#[derive(Debug, Default)]
struct State {
    committed: Committed,
    pending: Group,
    /// A task is writing a group and will take the pending one next.
    flushing: bool,
    /// The log can no longer be appended to; a restart repairs it.
    broken: bool,
    last_index: u64,
    last_arrival_ms: u64,
    bytes_since_mark: usize,
}

/// Why records were not stored; the log says more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotWritten {
    /// Too much waits for the disk, or the shard has taken as much as it may.
    Busy,
    /// The log cannot be written.
    Failed,
}

/// Records that have their sequence numbers, and may still have to reach the disk.
#[derive(Debug)]
pub(crate) struct Appended {
    pub(crate) first_index: u64,
    pub(crate) arrival_ms: u64,
    written: Option<oneshot::Receiver<Result<(), NotWritten>>>,
}

/// Where a read ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ReadEnd {
    pub(crate) next: Place,
    /// There was nothing more to read.
    pub(crate) caught_up: bool,
    /// Nor will there ever be: the shard is closed.
    pub(crate) ended: bool,
}

impl Shard {
    pub(crate) fn new(info: ShardInfo, log: Log, committed: Committed) -> Self {
        let closed_ms = info.closed_ms.map_or_else(OnceLock::new, OnceLock::from);
        let state = State {
            last_index: committed.last_index,
            last_arrival_ms: committed.last_arrival_ms,
            bytes_since_mark: MARK_BYTES,
            committed,
            ..State::default()
        };
        Self { info, closed_ms, log, state: Mutex::new(state), changed: Notify::new() }
    }

    pub(crate) fn info(&self) -> ShardInfo {
        ShardInfo { closed_ms: self.closed_ms(), ..self.info.clone() }
    }

    pub(crate) fn number(&self) -> u32 {
        self.info.number
    }

    pub(crate) fn closed_ms(&self) -> Option<u64> {
        self.closed_ms.get().copied()
    }

    /// Ends the shard. No append may be under way: the caller holds the stream's topology for writing.
    pub(crate) fn close(&self, now_ms: u64) {
        self.closed_ms.get_or_init(|| now_ms);
        self.changed.notify_waiters();
    }

    /// The sequence number of one of its records.
    pub(crate) fn sequence(&self, index: u64, arrival_ms: u64) -> Sequence {
        let ShardInfo { opened_secs, number, .. } = self.info;
        Sequence { opened_secs, shard: number, index, arrival_secs: arrival_ms / 1000 }
    }

    /// Gives records the next sequence numbers and hands them to the log. The caller holds the stream's topology for
    /// reading, so that the shard is not closed meanwhile.
    pub(crate) fn append<'a>(
        self: &Arc<Self>,
        records: impl Iterator<Item = (&'a str, &'a [u8])>,
        now_ms: u64,
    ) -> Result<Appended, NotWritten> {
        let mut guard = self.lock();
        let state = &mut *guard;
        if state.broken {
            return Err(NotWritten::Failed);
        }
        if state.pending.bytes.len() > MAX_PENDING_BYTES {
            return Err(NotWritten::Busy);
        }
        let first_index = state.last_index + 1;
        let arrival_ms = now_ms.max(state.last_arrival_ms);
        state.last_arrival_ms = arrival_ms;
        for (partition_key, data) in records {
            state.last_index += 1;
            let record = Frame { index: state.last_index, arrival_ms, partition_key, data };
            state.pending.push(&record, &mut state.bytes_since_mark);
        }
        if !self.log.is_file() {
            let group = std::mem::take(&mut state.pending);
            // Memory takes every append.
            if self.log.append(state.committed.end, &group.bytes).is_ok() {
                state.committed.add(&group);
                self.changed.notify_waiters();
            }
            return Ok(Appended { first_index, arrival_ms, written: None });
        }
        let (sender, written) = oneshot::channel();
        state.pending.waiters.push(sender);
        if !state.flushing {
            state.flushing = true;
            let shard = Arc::clone(self);
            tokio::task::spawn_blocking(move || shard.flush());
        }
        Ok(Appended { first_index, arrival_ms, written: Some(written) })
    }

    /// Writes groups until none waits. What arrives while one is written goes together into the next.
    fn flush(&self) {
        let mut spare = Vec::new();
        loop {
            let (mut group, offset) = {
                let mut state = self.lock();
                if state.pending.waiters.is_empty() {
                    state.flushing = false;
                    // An idle shard holds no buffers.
                    state.pending = Group::default();
                    return;
                }
                let next = Group::reusing(std::mem::take(&mut spare));
                (std::mem::replace(&mut state.pending, next), state.committed.end)
            };
            let result = self.log.append(offset, &group.bytes);
            self.settle(&group, &result);
            for waiter in group.waiters.drain(..) {
                // A client that has gone away no longer waits.
                let _ = waiter.send(result.as_ref().copied().map_err(|_| NotWritten::Failed));
            }
            spare = group.bytes;
        }
    }

    fn settle(&self, group: &Group, result: &Result<(), AppendError>) {
        let mut state = self.lock();
        match result {
            Ok(()) => {
                state.committed.add(group);
                self.changed.notify_waiters();
            }
            Err(error) => {
                tracing::error!(%error, shard = self.info.number, log = ?self.log, "cannot write records");
                state.broken |= matches!(error, AppendError::Broken(_));
                state.bytes_since_mark = MARK_BYTES;
            }
        }
    }

    /// Shows the records from a place on to `take`, until there are no more or it refuses one by `false`.
    ///
    /// Reads from the disk: not for an asynchronous task, unless [`Shard::is_caught_up`] says so.
    pub(crate) fn read(&self, place: Place, mut take: impl FnMut(&Frame<'_>) -> bool) -> io::Result<ReadEnd> {
        // Asked before the state: after the close nothing is appended that the state would not show.
        let closed = self.closed_ms().is_some();
        let (mut offset, end, last_index, settled) = {
            let state = self.lock();
            let committed = &state.committed;
            let settled = !state.flushing && state.pending.waiters.is_empty();
            let from = place.index.max(committed.index_before(place.arrival_ms));
            (committed.offset_of(from), committed.end, committed.last_index, settled)
        };
        let mut next = place;
        let mut buffer = Vec::new();
        if offset < end && place.index <= last_index {
            let reader = self.log.reader()?;
            let mut wanted = READ_BYTES;
            while offset < end {
                let left = usize::try_from(end - offset).unwrap_or(usize::MAX);
                reader.read(offset + buffer.len() as u64, wanted.min(left) - buffer.len(), &mut buffer)?;
                let mut used = 0;
                wanted = loop {
                    match frame::parse(&buffer[used..]) {
                        Parsed::Frame(record, length) => {
                            if record.index >= next.index && record.arrival_ms >= next.arrival_ms {
                                if !take(&record) {
                                    next.index = record.index;
                                    return Ok(ReadEnd { next, caught_up: false, ended: false });
                                }
                                next = Place { index: record.index + 1, arrival_ms: 0 };
                            }
                            used += length;
                        }
                        Parsed::Incomplete(_) if used == buffer.len() => break READ_BYTES,
                        Parsed::Incomplete(needed) if needed <= left - used => break needed.max(READ_BYTES),
                        Parsed::Incomplete(_) | Parsed::Corrupt => return Err(io::ErrorKind::InvalidData.into()),
                    }
                };
                buffer.drain(..used);
                offset += used as u64;
            }
        }
        next.index = next.index.max(last_index + 1);
        Ok(ReadEnd { next, caught_up: true, ended: closed && settled })
    }

    /// Shows the newest records, so many at most, the oldest of them first. Reads from the disk.
    pub(crate) fn newest(&self, most: usize, mut show: impl FnMut(&Frame<'_>)) -> io::Result<()> {
        let first = self.latest().index.saturating_sub(most as u64);
        let mut left = most;
        self.read(Place { index: first, arrival_ms: 0 }, |record| {
            // Records may have come since.
            let shown = left > 0;
            if shown {
                show(record);
                left -= 1;
            }
            shown
        })
        .map(drop)
    }

    /// Whether [`Shard::read`] from here has nothing to read, and so does not wait for a disk.
    pub(crate) fn is_caught_up(&self, place: Place) -> bool {
        place.index > self.lock().committed.last_index
    }

    /// What says that [`Shard::read`] may have more to show.
    pub(crate) fn changed(&self) -> &Notify {
        &self.changed
    }

    /// The place after the newest record.
    pub(crate) fn latest(&self) -> Place {
        Place { index: self.lock().committed.last_index + 1, arrival_ms: 0 }
    }

    /// The place of the first record that arrived at a time or later. Reads from the disk.
    pub(crate) fn at_time(&self, arrival_ms: u64) -> io::Result<Place> {
        let before = self.lock().committed.index_before(arrival_ms);
        let read = self.read(Place { index: before, arrival_ms }, |_| false)?;
        // A record on its way to the disk may have arrived earlier: without a record found, the time stays.
        Ok(if read.caught_up { read.next } else { Place { arrival_ms: 0, ..read.next } })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Appended {
    /// Waits until the records are in the log.
    pub(crate) async fn written(self) -> Result<(), NotWritten> {
        match self.written {
            None => Ok(()),
            Some(written) => written.await.unwrap_or(Err(NotWritten::Failed)),
        }
    }
}
