//! Dropping what has expired, a whole segment at a time.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::PoisonError;

use super::write::create;
use super::{Home, Segment, ShardLog, State};
use crate::storage::segment::SegmentName;
use crate::storage::sync_dir;

impl ShardLog {
    /// Whether [`ShardLog::trim`] has something to do.
    pub(crate) fn has_expired(&self, horizon_ms: u64) -> bool {
        let state = self.state();
        state.expired(horizon_ms) > 0 || state.expires_entirely(horizon_ms)
    }

    /// Drops the segments that hold nothing but records that arrived before a time. Writes to the disk.
    pub(crate) fn trim(&self, horizon_ms: u64) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let mut dropped = Vec::new();
        let successor = {
            let mut state = self.state();
            for _ in 0..state.expired(horizon_ms) {
                dropped.extend(state.segments.pop_front().map(|segment| segment.name));
            }
            let all = state.expires_entirely(horizon_ms);
            if all && matches!(self.home, Home::Memory) {
                state.segments.clear();
            }
            let next = SegmentName { first_index: state.last_index + 1, first_arrival_ms: state.last_arrival_ms };
            all.then_some(next)
        };
        let Home::Disk(disk) = &self.home else { return };
        let result = successor.map_or(Ok(()), |next| {
            // An empty segment remembers the last index.
            *files = None;
            create(&next.path(&disk.directory))?.sync_all()?;
            sync_dir(&disk.directory)?;
            dropped.extend(self.begin_anew(next));
            Ok(())
        });
        for name in dropped {
            tracing::debug!(segment = %name.path(&disk.directory).display(), "what it holds has expired");
            for path in [name.path(&disk.directory), name.marks_path(&disk.directory)] {
                report(&path, remove(&path));
            }
        }
        report(&disk.directory, result);
    }

    /// Puts an empty segment in place of the only one, and gives what it replaced. Nothing is written meanwhile: the
    /// caller holds `files`.
    fn begin_anew(&self, next: SegmentName) -> Option<SegmentName> {
        let mut state = self.state();
        let old = state.segments.pop_front().map(|segment| segment.name);
        state.segments.push_back(Segment::empty(next));
        old
    }
}

impl State {
    /// How many segments at the front hold expired records only: all in them arrived before the next one's first.
    fn expired(&self, horizon_ms: u64) -> usize {
        let later = self.segments.iter().skip(1);
        later.take_while(|segment| segment.name.first_arrival_ms < horizon_ms).count()
    }

    /// Whether all records have expired and no more are on their way.
    fn expires_entirely(&self, horizon_ms: u64) -> bool {
        let only = self.segments.back().is_some_and(|segment| segment.end > 0);
        only && self.is_settled() && self.unusable.is_none() && self.last_arrival_ms < horizon_ms
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// What could not be dropped takes room and does no other harm; the next start tries again.
fn report(path: &Path, result: io::Result<()>) {
    if let Err(error) = result {
        tracing::warn!(%error, path = %path.display(), "cannot drop expired records");
    }
}
