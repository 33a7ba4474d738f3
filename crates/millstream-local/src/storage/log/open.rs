//! The log of a shard as it is found when the server starts.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::scan::{Seen, scan};
use super::{Disk, Home, LogId, Segment, ShardLog, State, Unusable};
use crate::storage::committer::Committer;
use crate::storage::frame::{self, Parsed};
use crate::storage::marks::{self, MARK_BYTES, Mark, Marks};
use crate::storage::segment::{self, SegmentName};

/// Bytes at a mark that are read to see whether it is right: any frame's head is smaller.
const HEAD: usize = 64;

impl ShardLog {
    /// Opens the log in a directory; without one it is empty.
    ///
    /// Of complete segments only the names are looked at, of the last one what follows its last mark. A log that cannot
    /// be opened says so in the program's log and fails whatever is asked of it; others go on.
    pub(crate) fn open(id: LogId, directory: PathBuf, committer: Arc<Committer>) -> Arc<Self> {
        let state = recover(&directory).unwrap_or_else(|error| {
            tracing::error!(%error, directory = %directory.display(), "cannot open a shard; it fails until a restart");
            State { unusable: Some(Unusable::Closed), ..State::default() }
        });
        let home = Home::Disk(Disk { id, directory, committer });
        Arc::new(Self::new(home, state))
    }

    /// The file that is appended to, for a checkpoint.
    pub(crate) fn active_path(&self) -> Option<PathBuf> {
        let Home::Disk(disk) = &self.home else { return None };
        Some(self.state().segments.back()?.name.path(&disk.directory))
    }
}

fn recover(directory: &Path) -> io::Result<State> {
    let mut names = segment::list(directory)?;
    let Some(last) = names.pop() else { return Ok(State { bytes_since_mark: MARK_BYTES, ..State::default() }) };
    let mut segments: VecDeque<Segment> = names.into_iter().map(Segment::empty).collect();
    let mut state = State {
        last_index: last.first_index.saturating_sub(1),
        last_arrival_ms: last.first_arrival_ms,
        bytes_since_mark: MARK_BYTES,
        ..State::default()
    };
    segments.push_back(recover_last(directory, last, &mut state)?);
    state.segments = segments;
    state.assigned_index = state.last_index;
    state.assigned_arrival_ms = state.last_arrival_ms;
    Ok(state)
}

/// The segment that is appended to. The last record in it becomes that of the log.
fn recover_last(directory: &Path, name: SegmentName, state: &mut State) -> io::Result<Segment> {
    let (path, marks_path) = (name.path(directory), name.marks_path(directory));
    let mut known = Marks::read(&marks_path).unwrap_or_default().frames;
    let kept = known.len();
    while let Some(mark) = known.last() {
        if is_right(&path, *mark)? {
            break;
        }
        known.pop();
    }
    if known.len() < kept {
        // What is added below has to follow what is right.
        fs::remove_file(&marks_path)?;
        marks::append(&marks_path, &known)?;
    }
    let start = known.last().map_or(0, |mark| mark.offset);
    let mut last_mark = start;
    let mut added = Vec::new();
    let end = scan(&path, start, |Seen { offset, record, after_damage }| {
        if offset - last_mark >= MARK_BYTES as u64 || after_damage {
            added.push(Mark { offset, index: record.index, arrival_ms: record.arrival_ms });
            last_mark = offset;
        }
        state.last_index = record.index;
        state.last_arrival_ms = record.arrival_ms;
    })?;
    if !added.is_empty() {
        marks::append(&marks_path, &added)?;
        known.append(&mut added);
    }
    Ok(Segment { end, marks: known, ..Segment::empty(name) })
}

/// Whether the frame that a mark is about starts there.
fn is_right(path: &Path, mark: Mark) -> io::Result<bool> {
    use std::os::unix::fs::FileExt;
    let file = fs::File::open(path)?;
    let mut head = vec![0; HEAD];
    let count = file.read_at(&mut head, mark.offset)?;
    head.truncate(count);
    if frame::head_of(&head) != Some((mark.index, mark.arrival_ms)) {
        return Ok(false);
    }
    if let Parsed::Incomplete(length) = frame::parse(&head) {
        head.resize(length, 0);
        if let Err(error) = file.read_exact_at(&mut head, mark.offset) {
            return if error.kind() == io::ErrorKind::UnexpectedEof { Ok(false) } else { Err(error) };
        }
    }
    Ok(matches!(frame::parse(&head), Parsed::Frame(..)))
}
