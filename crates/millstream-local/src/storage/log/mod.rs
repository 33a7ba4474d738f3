//! The records of one shard: a row of segments, each in a file or in memory, the last of which is appended to.
//!
//! `append` gives records their indices and hands them to the committer; `write` is the committer's part; `read` shows
//! what has been committed; `trim` drops what has expired; `open` and `scan` find out what is there at the start.

mod append;
mod group;
mod open;
mod read;
pub(super) mod scan;
mod trim;
mod write;

use std::collections::VecDeque;
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit};

pub(crate) use append::{Appended, NotWritten, Submission};
pub(crate) use read::{Take, Wanted};
pub(super) use write::{Written, create, naming_directories};

use self::group::Group;
use super::committer::Committer;
use super::marks::Mark;
use super::recent::Tail;
use super::segment::SegmentName;

/// Bytes that are read in no time if they are in memory.
const NEAR_BYTES: u64 = 64 * 1024;

/// The records of one shard.
#[derive(Debug)]
pub(crate) struct ShardLog {
    home: Home,
    /// Held while the segment that is appended to is written or replaced, which may be open here. Taken before `state`.
    files: Mutex<Option<OpenSegment>>,
    state: Mutex<State>,
    /// Records have been committed.
    changed: Notify,
}

/// Where the segments are.
#[derive(Debug)]
enum Home {
    Memory,
    Disk(Disk),
}

#[derive(Debug)]
struct Disk {
    id: LogId,
    /// Made with the first segment.
    directory: PathBuf,
    committer: Arc<Committer>,
}

/// A segment that is kept open from one write to the next.
#[derive(Debug)]
struct OpenSegment {
    name: SegmentName,
    file: File,
    /// Of the committer, which keeps no more than so many open.
    permit: OwnedSemaphorePermit,
}

/// Which log this is, in the journal and as a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LogId {
    pub(crate) stream_id: Arc<str>,
    pub(crate) shard: u32,
}

/// What has been committed, and what waits to be.
#[derive(Debug, Default)]
struct State {
    /// Oldest first. The last is appended to; the others are complete.
    segments: VecDeque<Segment>,
    last_index: u64,
    last_arrival_ms: u64,
    /// Of the last record that has its index, committed or not.
    assigned_index: u64,
    assigned_arrival_ms: u64,
    bytes_since_mark: usize,
    pending: VecDeque<Group>,
    /// The committer has a group.
    writing: bool,
    /// Why nothing can be read or written before a restart.
    unusable: Option<Unusable>,
}

/// Why a log is given up; the program's log says more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unusable {
    /// It could not be opened at the start.
    Closed,
    /// It can be read, but what is at its end is not known.
    ReadOnly,
}

/// Consecutive records.
#[derive(Debug)]
struct Segment {
    name: SegmentName,
    /// Bytes that have been committed; for a complete segment on disk, its file knows.
    end: u64,
    /// For a complete segment on disk, they are in its file.
    marks: Vec<Mark>,
    /// The frames, if there is no file.
    bytes: Vec<u8>,
    /// The newest frames, if they stand in a file.
    recent: Tail,
}

impl ShardLog {
    pub(crate) fn in_memory() -> Arc<Self> {
        Arc::new(Self::new(Home::Memory, State::default()))
    }

    fn new(home: Home, state: State) -> Self {
        Self { home, files: Mutex::default(), state: Mutex::new(state), changed: Notify::new() }
    }

    /// What is notified when records have been committed.
    pub(crate) fn changed(&self) -> &Notify {
        &self.changed
    }

    /// The index of the newest record; 0 if there has been none.
    pub(crate) fn last_index(&self) -> u64 {
        self.state().last_index
    }

    /// Whether what there is from an index on is little, and all of it in memory.
    pub(crate) fn is_near(&self, index: u64) -> bool {
        let state = self.state();
        let little =
            |segment: &Segment| segment.recent.offset_of(index).is_some_and(|at| segment.end - at <= NEAR_BYTES);
        index > state.last_index || state.segments.back().is_some_and(little)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Nothing is on its way.
    fn is_settled(&self) -> bool {
        !self.writing && self.pending.is_empty()
    }
}

impl Segment {
    fn empty(name: SegmentName) -> Self {
        Self { name, end: 0, marks: Vec::new(), bytes: Vec::new(), recent: Tail::default() }
    }

    /// Takes in a group that has been written to its end.
    fn extend(&mut self, group: &Group) {
        let start = self.end;
        self.marks.extend(group.marks.iter().map(|mark| Mark { offset: start + mark.offset, ..*mark }));
        self.end += group.bytes.len() as u64;
    }
}
