//! From a request to the committer: records get their indices.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::group::Group;
use super::{Home, Segment, ShardLog, State};
use crate::config::Fsync;
use crate::storage::committer::Committer;
use crate::storage::frame::{self, Frame};
use crate::storage::segment::SegmentName;

/// A group that has become so large takes no more requests.
const GROUP_BYTES: usize = 4 * 1024 * 1024;
/// A segment in memory: what has expired is freed in pieces of this size, and none is moved when the log grows.
const MEMORY_SEGMENT_BYTES: usize = 256 * 1024;

/// Why records were not stored; the program's log says more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotWritten {
    /// Too much waits for the disk, or the shard has taken as much as it may.
    Busy,
    /// The log cannot be written.
    Failed,
}

/// Records that have their indices, and may still have to reach the disk.
#[derive(Debug)]
pub(crate) struct Appended {
    pub(crate) first_index: u64,
    pub(crate) arrival_ms: u64,
    written: Option<oneshot::Receiver<Result<(), NotWritten>>>,
}

/// The logs to which one request has appended. Nothing is written before it is submitted.
#[derive(Debug, Default)]
pub(crate) struct Submission {
    logs: Vec<Arc<ShardLog>>,
}

impl Submission {
    /// Hands what has been appended to the committer.
    pub(crate) fn submit(self) {
        let committer = self.logs.first().and_then(|log| log.committer()).map(Arc::clone);
        if let Some(committer) = committer {
            committer.submit(self.logs);
        }
    }
}

impl ShardLog {
    /// Gives records the next indices and one arrival time, and makes them ready to be written.
    pub(crate) fn append<'a>(
        self: &Arc<Self>,
        records: impl Iterator<Item = (&'a str, &'a [u8])> + Clone,
        now_ms: u64,
        submission: &mut Submission,
    ) -> Result<Appended, NotWritten> {
        let length = records.clone().map(|(key, data)| frame::length(key, data)).sum();
        if self.committer().is_some_and(|committer| !committer.has_room()) {
            return Err(NotWritten::Busy);
        }
        let mut guard = self.state();
        let state = &mut *guard;
        if state.unusable.is_some() {
            return Err(NotWritten::Failed);
        }
        let first_index = state.assigned_index + 1;
        let arrival_ms = now_ms.max(state.assigned_arrival_ms);
        state.assigned_arrival_ms = arrival_ms;
        let Some(committer) = self.committer() else {
            let mut group = Group::starting_at(first_index, arrival_ms);
            fill(&mut group, state, length, records, arrival_ms);
            state.keep(&group);
            self.changed.notify_waiters();
            return Ok(Appended { first_index, arrival_ms, written: None });
        };
        let joins = committer.fsync() != Fsync::Always
            && state.pending.back().is_some_and(|group| group.bytes.len() < GROUP_BYTES);
        let mut group = match state.pending.pop_back_if(|_| joins) {
            Some(group) => group,
            None => Group::starting_at(first_index, arrival_ms),
        };
        fill(&mut group, state, length, records, arrival_ms);
        let (sender, written) = oneshot::channel();
        group.waiters.push(sender);
        state.pending.push_back(group);
        committer.waits(length);
        if !joins {
            submission.logs.push(Arc::clone(self));
        }
        Ok(Appended { first_index, arrival_ms, written: Some(written) })
    }

    fn committer(&self) -> Option<&Arc<Committer>> {
        match &self.home {
            Home::Memory => None,
            Home::Disk(disk) => Some(&disk.committer),
        }
    }
}

fn fill<'a>(
    group: &mut Group,
    state: &mut State,
    length: usize,
    records: impl Iterator<Item = (&'a str, &'a [u8])>,
    arrival_ms: u64,
) {
    group.bytes.reserve(length);
    for (partition_key, data) in records {
        state.assigned_index += 1;
        let record = Frame { index: state.assigned_index, arrival_ms, partition_key, data };
        group.push(&record, &mut state.bytes_since_mark);
    }
}

impl State {
    /// Commits a group to memory.
    fn keep(&mut self, group: &Group) {
        let fits = |segment: &&mut Segment| segment.bytes.len() + group.bytes.len() <= MEMORY_SEGMENT_BYTES;
        if self.segments.back_mut().filter(fits).is_none() {
            let name = SegmentName { first_index: group.first_index, first_arrival_ms: group.first_arrival_ms };
            self.segments.push_back(Segment::empty(name));
        }
        if let Some(segment) = self.segments.back_mut() {
            segment.bytes.extend_from_slice(&group.bytes);
            segment.extend(group);
        }
        self.last_index = group.last_index;
        self.last_arrival_ms = group.last_arrival_ms;
    }
}

impl Appended {
    /// Waits until the records are stored.
    pub(crate) async fn written(self) -> Result<(), NotWritten> {
        match self.written {
            None => Ok(()),
            Some(written) => written.await.unwrap_or(Err(NotWritten::Failed)),
        }
    }
}
