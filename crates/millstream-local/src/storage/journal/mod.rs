//! The journal: what makes records of any number of shards safe with one sync.
//!
//! Records are written to their segments, which are left to the system to bring to the disk, and to the journal, which
//! is synced before they are acknowledged. The journal is two files that are used in turn and written over, so that a
//! sync has no new blocks and no new length to write down. Before a file is used again, the segments that it speaks of
//! are synced: a checkpoint, made in the background. At the start after a crash the journal is written to the segments
//! once more (`replay`), which changes nothing where they are whole.
//!
//! ```text
//! data_dir/journal/0 and 1     groups of one epoch each, the higher being the newer; see `entry`
//! data_dir/journal/*.kept       what speaks of segments that could not be synced, until a later start has synced them
//! data_dir/journal/CLEAN       written when the server stops: all is in the segments, up to the epoch in it
//! ```

mod checkpoint;
pub(super) mod entry;
mod file;
mod growth;
mod replay;

use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

pub(crate) use replay::{Replayed, replay};

use self::checkpoint::{Checkpoint, Dirty};
use self::file::JournalFile;
use self::growth::{Growth, lengthen};
use super::log::Written;
use super::{replace, sync_dir};

/// Bytes of a journal file; what a start after a crash has to go through is two of them at most.
const CAPACITY: u64 = 64 * 1024 * 1024;
/// How the names of files end that have been put aside.
const KEPT: &str = ".kept";
/// A buffer that has become larger is not kept.
const KEPT_BUFFER: usize = 4 * 1024 * 1024;

#[derive(Debug)]
pub(crate) struct Journal {
    directory: PathBuf,
    slots: [Slot; 2],
    current: usize,
    /// Of the next group in the current file.
    position: u64,
    epoch: u64,
    /// What the current file speaks of.
    dirty: Dirty,
    /// Files that an earlier run has kept. They go with the checkpoint of what has been replayed.
    kept: Vec<PathBuf>,
    /// This run has kept one.
    keeps: bool,
    /// The mark of a clean stop is there.
    is_clean: bool,
    buffer: Vec<u8>,
}

/// One of the two files.
#[derive(Debug, Default)]
struct Slot {
    file: Option<JournalFile>,
    /// What may be written over.
    length: u64,
    /// Makes the file longer, once there is load.
    growth: Option<Growth>,
    /// What has to end before the file is written over.
    checkpoint: Option<Checkpoint>,
    /// The checkpoint has failed: the file may be the only one to have some records.
    is_needed: bool,
}

impl Journal {
    /// A journal that goes on after what has been replayed.
    pub(crate) fn new(directory: PathBuf, replayed: Replayed) -> Self {
        let mut slots = [Slot::default(), Slot::default()];
        slots[0].checkpoint = (!replayed.was_clean).then(|| Checkpoint::start(replayed.dirty));
        // The first group moves to the first file.
        Self {
            directory,
            slots,
            current: 1,
            position: CAPACITY,
            epoch: replayed.epoch,
            dirty: Dirty::default(),
            kept: replayed.kept,
            keeps: false,
            is_clean: replayed.was_clean,
            buffer: Vec::new(),
        }
    }

    /// Makes what has been written to segments safe, all of it or, after an error, nothing.
    pub(crate) fn append(&mut self, writes: &[Written]) -> io::Result<()> {
        self.begin()?;
        let mut group = self.group_of(writes);
        if self.position + group.len() as u64 > CAPACITY {
            self.turn()?;
            group = self.group_of(writes);
        }
        let end = self.position + group.len() as u64;
        self.grow(end)?;
        let slot = &mut self.slots[self.current];
        let file = slot.file.as_mut().ok_or(io::ErrorKind::NotFound)?;
        file.write(&self.buffer[group], self.position)?;
        self.position = end;
        self.dirty.extend(writes);
        if self.buffer.capacity() > KEPT_BUFFER {
            self.buffer = Vec::new();
        }
        Ok(())
    }

    /// For records that are not made safe: the next start has to look at them.
    pub(crate) fn begin(&mut self) -> io::Result<()> {
        if self.is_clean {
            fs::remove_file(clean_path(&self.directory))?;
            sync_dir(&self.directory)?;
            self.is_clean = false;
        }
        Ok(())
    }

    /// Brings all that has been written to the disk, and says so for the next start.
    pub(crate) fn finish(mut self) {
        if self.is_clean {
            return;
        }
        let mut succeeded = !self.keeps;
        for checkpoint in self.slots.iter_mut().filter_map(|slot| slot.checkpoint.take()) {
            // Each is waited for, also after one that failed.
            succeeded &= checkpoint.wait();
        }
        if !(self.dirty.sync() && succeeded) {
            return;
        }
        self.drop_kept();
        if let Err(error) = replace(&clean_path(&self.directory), self.epoch.to_string().as_bytes()) {
            tracing::warn!(%error, "cannot write down that the journal is empty; the next start goes through it");
        }
    }

    /// Puts a group into the buffer, aligned as the current file wants it; where it stands there.
    fn group_of(&mut self, writes: &[Written]) -> Range<usize> {
        let alignment = self.slots[self.current].file.as_ref().map_or(1, JournalFile::alignment);
        let entries = writes.iter().filter_map(|write| Some((write, write.id()?)));
        let length: usize = entries.clone().map(|(write, id)| entry::length(id, write.bytes())).sum();
        // No byte moves once there is room for all.
        self.buffer.clear();
        self.buffer.reserve(entry::length_of_group(length, alignment) + alignment);
        let start = self.buffer.as_ptr().align_offset(alignment).min(alignment);
        self.buffer.resize(start, 0);
        entry::begin(&mut self.buffer, self.epoch);
        for (write, id) in entries {
            entry::push(&mut self.buffer, id, write.name(), write.offset(), write.bytes());
        }
        entry::pad(&mut self.buffer, start, alignment);
        entry::finish(&mut self.buffer[start..]);
        start..self.buffer.len()
    }

    /// Moves to the other file. Waits until what that one speaks of is on the disk.
    fn turn(&mut self) -> io::Result<()> {
        let other = 1 - self.current;
        if let Some(checkpoint) = self.slots[other].checkpoint.take() {
            if checkpoint.wait() {
                self.drop_kept();
            } else {
                self.kept.clear();
                self.keeps = true;
                self.slots[other].is_needed = true;
                // Of the checkpoint at the start: it is one for both files.
                self.slots[self.current].is_needed |= self.slots[self.current].file.is_none();
            }
        }
        if self.slots[other].is_needed {
            self.keep(other)?;
            self.slots[other].is_needed = false;
        }
        if self.slots[other].file.is_none() {
            let path = self.directory.join(other.to_string());
            let file = JournalFile::open(&path)?;
            self.slots[other].length = file.plain().metadata()?.len();
            self.slots[other].file = Some(file);
            sync_dir(&self.directory)?;
        }
        let dirty = std::mem::take(&mut self.dirty);
        self.slots[self.current].checkpoint = Some(Checkpoint::start(dirty));
        self.current = other;
        self.position = 0;
        self.epoch += 1;
        Ok(())
    }

    /// Puts a file aside that is still needed.
    fn keep(&mut self, slot: usize) -> io::Result<()> {
        let aside = self.directory.join(format!("{:020}{KEPT}", self.epoch));
        self.slots[slot].growth = None;
        self.slots[slot].file = None;
        match fs::rename(self.directory.join(slot.to_string()), &aside) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            renamed => renamed?,
        }
        tracing::warn!(file = %aside.display(), "a journal file is kept for the next start");
        sync_dir(&self.directory)
    }

    /// Deletes what an earlier run has kept; all of it is in the segments now.
    fn drop_kept(&mut self) {
        for path in self.kept.drain(..) {
            if let Err(error) = fs::remove_file(&path) {
                tracing::warn!(%error, file = %path.display(), "cannot delete a journal file that is no longer needed");
            }
        }
    }

    /// Makes room in the current file.
    fn grow(&mut self, end: u64) -> io::Result<()> {
        let slot = &mut self.slots[self.current];
        while end > slot.length {
            let Some(file) = &slot.file else { return Err(io::ErrorKind::NotFound.into()) };
            match &slot.growth {
                Some(growth) => match growth.next() {
                    Ok(length) => slot.length = length,
                    Err(_) => {
                        // What failed ahead of its time may succeed now, or fail those that need it.
                        slot.growth = None;
                        slot.length = lengthen(file.plain(), slot.length, end)?;
                    }
                },
                None if self.position == 0 => slot.length = lengthen(file.plain(), slot.length, end)?,
                None => slot.growth = Some(Growth::start(file.plain().try_clone()?, slot.length)?),
            }
        }
        Ok(())
    }
}

fn clean_path(directory: &Path) -> PathBuf {
    directory.join("CLEAN")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::Fsync;
    use crate::storage::Submission;
    use crate::storage::committer::Committer;
    use crate::storage::log::{LogId, ShardLog};
    use crate::storage::segment::SegmentName;
    use std::sync::Arc;

    const NAME: SegmentName = SegmentName { first_index: 1, first_arrival_ms: 1 };

    fn log_id() -> LogId {
        LogId { stream_id: "stream".into(), shard: 0 }
    }

    /// A journal directory in which a file speaks of a segment.
    fn written(home: &Path) -> PathBuf {
        let directory = home.join("journal");
        fs::create_dir_all(&directory).unwrap();
        let mut group = Vec::new();
        entry::begin(&mut group, 3);
        entry::push(&mut group, &log_id(), NAME, 0, b"records");
        entry::finish(&mut group);
        fs::write(directory.join("0"), &group).unwrap();
        directory
    }

    #[test]
    fn a_file_that_grows_while_it_is_written_loses_nothing() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("journal");
        let committer = Committer::new(Fsync::Batch);
        let replayed = replay(&directory, |_| None).unwrap();
        let _thread = Arc::clone(&committer).start(Journal::new(directory.clone(), replayed)).unwrap();
        let log = ShardLog::open(log_id(), home.path().join("shard"), committer);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for number in 1..=100 {
            let mut submission = Submission::default();
            let data = [number; 300_000];
            let appended = log.append([("key", &data[..])].into_iter(), 1, &mut submission).unwrap();
            submission.submit();
            runtime.block_on(appended.written()).unwrap();
        }
        // As a crash would leave it.
        let (crashed, again) = (home.path().join("crashed"), home.path().join("again"));
        fs::create_dir(&crashed).unwrap();
        fs::create_dir(&again).unwrap();
        fs::copy(directory.join("0"), crashed.join("0")).unwrap();
        replay(&crashed, |_| Some(again.clone())).unwrap();
        let segment = log.active_path().unwrap();
        let found = fs::read(again.join(segment.file_name().unwrap())).unwrap();
        assert!(found == fs::read(&segment).unwrap() && found.len() > 30_000_000);
    }

    #[test]
    fn what_a_segment_that_cannot_be_synced_needs_is_kept_for_the_next_start() {
        let home = tempfile::tempdir().unwrap();
        let directory = written(home.path());
        // No directory of a segment can be below a file.
        let blocked = home.path().join("blocked");
        fs::write(&blocked, "").unwrap();
        let mut dirty = Dirty::default();
        dirty.found(NAME.path(&blocked));
        let replayed = Replayed { was_clean: false, dirty, epoch: 3, kept: Vec::new() };
        let mut journal = Journal::new(directory.clone(), replayed);
        journal.append(&[]).unwrap();
        journal.finish();
        assert!(!clean_path(&directory).exists());

        let home = home.path().join("shard");
        fs::create_dir(&home).unwrap();
        let replayed = replay(&directory, |id| (*id == log_id()).then(|| home.clone())).unwrap();
        assert_eq!(fs::read(NAME.path(&home)).unwrap(), b"records");
        assert_eq!(replayed.kept.len(), 1);
        let mut journal = Journal::new(directory.clone(), replayed);
        journal.append(&[]).unwrap();
        journal.finish();
        assert!(clean_path(&directory).exists());
        assert!(replay(&directory, |_| None).unwrap().kept.is_empty());
        let names = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(names.into_iter().all(|name| !name.to_string_lossy().ends_with(KEPT)));
    }
}
