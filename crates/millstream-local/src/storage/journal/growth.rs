//! Making a journal file longer, ahead of what is written to it.
//!
//! A sync of a file that has just become longer takes several times as long as that of a file that is written over. So,
//! once there is load, a thread fills a file with zeros to its capacity.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::{self, JoinHandle};

use super::CAPACITY;

/// A file grows by so many bytes at a time: a sync of the journal meanwhile waits for no more of them.
const STEP: u64 = 1024 * 1024;
/// Each is told of once.
const STEPS: usize = (CAPACITY / STEP) as usize;

/// A file that grows, until this is dropped.
#[derive(Debug)]
pub(super) struct Growth {
    /// What is on the disk of the file, after each step.
    lengths: Option<Receiver<io::Result<u64>>>,
    thread: Option<JoinHandle<()>>,
}

impl Growth {
    /// Lets a file of `length` bytes grow. Meanwhile nobody else may write behind its end.
    pub(super) fn start(file: File, length: u64) -> io::Result<Self> {
        let (sender, lengths) = mpsc::sync_channel(STEPS);
        let grow = move || grow(&file, length, &sender);
        let thread = thread::Builder::new().name("journal growth".to_owned()).spawn(grow)?;
        Ok(Self { lengths: Some(lengths), thread: Some(thread) })
    }

    /// Waits for the next step; how long the file is then.
    pub(super) fn next(&self) -> io::Result<u64> {
        let next = self.lengths.as_ref().and_then(|lengths| lengths.recv().ok());
        next.unwrap_or_else(|| Err(io::Error::other("the journal does not become longer any more")))
    }
}

impl Drop for Growth {
    fn drop(&mut self) {
        // The thread ends when nobody listens.
        self.lengths = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that makes the journal longer has panicked");
        }
    }
}

fn grow(file: &File, mut length: u64, told: &SyncSender<io::Result<u64>>) {
    while length < CAPACITY {
        let grown = lengthen(file, length, length + 1);
        let failed = grown.is_err();
        length = grown.as_ref().copied().unwrap_or(length);
        if told.send(grown).is_err() || failed {
            return;
        }
    }
}

/// Fills a file of `length` bytes with zeros to the next step that is not before `end`, and brings them to the disk; how
/// long it is then.
pub(super) fn lengthen(file: &File, length: u64, end: u64) -> io::Result<u64> {
    let longer = end.next_multiple_of(STEP);
    let zeros = vec![0; usize::try_from(longer.saturating_sub(length)).unwrap_or(0)];
    file.write_all_at(&zeros, length)?;
    file.sync_all()?;
    Ok(longer)
}
