//! The committer's part: a group goes to a segment, is shown once it is safe, or is cut off again.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use super::group::Group;
use super::{Disk, Home, LogId, NotWritten, OpenSegment, Segment, ShardLog, Unusable};
use crate::storage::marks::{self, MARK_BYTES, Mark};
use crate::storage::recent::{Recent, Tail};
use crate::storage::segment::SegmentName;

/// A segment of this size is complete.
const SEGMENT_BYTES: u64 = 32 * 1024 * 1024;
/// So is one whose first record is this much older than the next one, so that what expires can be dropped...
const SEGMENT_MS: u64 = 3_600_000;
/// ...unless it is smaller than this: a year of a quiet shard is not thousands of files.
const SMALL_SEGMENT_BYTES: u64 = 64 * 1024;

/// A group that stands in a segment, and is not yet safe.
pub(crate) struct Written {
    log: Arc<ShardLog>,
    group: Group,
    name: SegmentName,
    path: PathBuf,
    offset: u64,
    /// The segment has been made for this group.
    is_new: bool,
}

impl ShardLog {
    /// Writes the group that has waited longest to a segment, without syncing it. `None` if there is none, or if it
    /// could not be written and those who wait for it have been told.
    pub(crate) fn write_next(self: &Arc<Self>) -> Option<Written> {
        let Home::Disk(disk) = &self.home else { return None };
        let mut group = {
            let mut state = self.state();
            let group = state.pending.pop_front()?;
            state.writing = true;
            group
        };
        disk.committer.no_longer_waits(group.bytes.len());
        match self.write(disk, &group) {
            Ok((name, path, offset, is_new)) => {
                Some(Written { log: Arc::clone(self), group, name, path, offset, is_new })
            }
            Err(error) => {
                tracing::error!(%error, stream_id = %disk.id.stream_id, shard = disk.id.shard, "cannot write records");
                self.failed();
                group.finish(Err(NotWritten::Failed));
                None
            }
        }
    }

    /// Fails the group that has waited longest.
    pub(crate) fn refuse_next(&self) {
        let group = self.state().pending.pop_front();
        if let Some(mut group) = group {
            group.finish(Err(NotWritten::Failed));
        }
    }

    /// Whether the committer has a group of this log already.
    pub(crate) fn is_being_written(&self) -> bool {
        self.state().writing
    }

    fn write(&self, disk: &Disk, group: &Group) -> io::Result<(SegmentName, PathBuf, u64, bool)> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let (name, offset, is_new) = {
            let state = self.state();
            if state.unusable.is_some() {
                return Err(io::Error::other("the end of the log is not known"));
            }
            match state.segments.back() {
                Some(segment) if !is_complete(segment, group) => (segment.name, segment.end, false),
                _ => {
                    let next = SegmentName { first_index: group.first_index, first_arrival_ms: group.first_arrival_ms };
                    (next, 0, true)
                }
            }
        };
        let path = name.path(&disk.directory);
        let (file, permit) = match files.take().filter(|open| open.name == name) {
            Some(open) => (Ok(open.file), Some(open.permit)),
            None if is_new => (create(&path), None),
            None => (OpenOptions::new().write(true).open(&path), None),
        };
        match file.and_then(|file| file.write_all_at(&group.bytes, offset).map(|()| file)) {
            Ok(file) => {
                let permit = permit.or_else(|| disk.committer.permit_to_keep_open());
                *files = permit.map(|permit| OpenSegment { name, file, permit });
                Ok((name, path, offset, is_new))
            }
            Err(error) => {
                self.cut(&path, offset, is_new);
                Err(io::Error::new(error.kind(), format!("{}: {error}", path.display())))
            }
        }
    }

    /// Takes back what has been written from an offset on.
    fn cut(&self, path: &Path, offset: u64, is_new: bool) {
        let cut = if is_new {
            fs::remove_file(path)
        } else {
            OpenOptions::new().write(true).open(path).and_then(|file| {
                // Nothing is cut where nothing was written.
                if file.metadata()?.len() > offset { file.set_len(offset) } else { Ok(()) }
            })
        };
        match cut {
            Err(error) if error.kind() == io::ErrorKind::IsADirectory || error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::error!(%error, path = %path.display(), "cannot cut records that failed; restart to go on");
                self.state().unusable = Some(Unusable::ReadOnly);
            }
            Ok(()) => {}
        }
    }

    fn failed(&self) {
        let mut state = self.state();
        state.writing = false;
        // The mark that the group would have had may be lost.
        state.bytes_since_mark = MARK_BYTES;
    }

    /// Takes no more records: what has been written may be lost.
    pub(crate) fn give_up(&self) {
        self.state().unusable = Some(Unusable::ReadOnly);
    }

    /// Takes in a group that is safe, and its frames into what is kept; gives the end of the segment that is complete
    /// by it.
    fn commit(
        &self,
        group: &mut Group,
        name: SegmentName,
        is_new: bool,
        recent: &Recent,
    ) -> Option<(SegmentName, Mark)> {
        let mut state = self.state();
        let (index, arrival_ms) = (state.last_index, state.last_arrival_ms);
        let mut complete = None;
        if is_new {
            if let Some(before) = state.segments.back_mut() {
                // Readers find them in the file from now on.
                before.marks = Vec::new();
                before.recent = Tail::default();
                complete = Some((before.name, Mark { offset: before.end, index, arrival_ms }));
            }
            state.segments.push_back(Segment::empty(name));
        }
        if let Some(segment) = state.segments.back_mut() {
            let offset = segment.end;
            segment.extend(group);
            let frames = std::mem::take(&mut group.bytes);
            segment.recent.push(&recent.keep(group.first_index, group.last_index, frames), offset);
        }
        state.last_index = group.last_index;
        state.last_arrival_ms = group.last_arrival_ms;
        state.writing = false;
        self.changed.notify_waiters();
        complete
    }
}

impl Written {
    pub(crate) fn log(&self) -> &Arc<ShardLog> {
        &self.log
    }

    /// The segment's file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn is_new(&self) -> bool {
        self.is_new
    }

    pub(crate) fn name(&self) -> SegmentName {
        self.name
    }

    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.group.bytes
    }

    pub(crate) fn id(&self) -> Option<&LogId> {
        match &self.log.home {
            Home::Memory => None,
            Home::Disk(disk) => Some(&disk.id),
        }
    }

    /// Shows the records to readers, and tells those who wait that they are safe.
    pub(crate) fn commit(mut self) {
        let Home::Disk(disk) = &self.log.home else { return };
        let complete = self.log.commit(&mut self.group, self.name, self.is_new, disk.committer.recent());
        self.group.finish(Ok(()));
        let added: Vec<Mark> =
            self.group.marks.iter().map(|mark| Mark { offset: self.offset + mark.offset, ..*mark }).collect();
        let mut result = Ok(());
        if let Some((name, end)) = complete {
            result = marks::seal(&name.marks_path(&disk.directory), end);
        }
        if !added.is_empty() {
            result = result.and(marks::append(&self.name.marks_path(&disk.directory), &added));
        }
        if let Err(error) = result {
            // They save time only.
            tracing::warn!(%error, segment = %self.path.display(), "cannot write marks; finding records takes longer");
        }
    }

    /// Takes the records back, and tells those who wait.
    pub(crate) fn fail(mut self) {
        *self.log.files.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.log.cut(&self.path, self.offset, self.is_new);
        self.log.failed();
        self.group.finish(Err(NotWritten::Failed));
    }
}

fn is_complete(segment: &Segment, group: &Group) -> bool {
    let is_full = segment.end > 0 && segment.end + group.bytes.len() as u64 > SEGMENT_BYTES;
    let is_old = segment.name.first_arrival_ms + SEGMENT_MS <= group.first_arrival_ms;
    is_full || (is_old && segment.end >= SMALL_SEGMENT_BYTES)
}

/// Makes an empty segment, and its directory if it is the first there.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    match File::create(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
            File::create(path)
        }
        result => result,
    }
}

/// The directories whose entries name a segment: the shard's, the stream's, and the one of all streams.
pub(crate) fn naming_directories(segment: &Path) -> impl Iterator<Item = &Path> {
    segment.ancestors().skip(1).take(3)
}
