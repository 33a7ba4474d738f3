//! Writes records: one commit takes what has been appended to any number of logs, and makes it safe with one sync.
//!
//! A lone client's request is committed by the thread that appends it, which saves two changes of thread. Where several
//! requests come at once, a thread of its own commits them, and the others read on.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::journal::Journal;
use super::log::{ShardLog, Written};
use super::recent::Recent;
use crate::config::Fsync;

/// Bytes that may wait for the disk before records are refused.
const MAX_WAITING_BYTES: usize = 64 * 1024 * 1024;
/// A commit that has become so large takes no more groups.
const COMMIT_BYTES: usize = 16 * 1024 * 1024;

/// Segments that are kept open; of 1,000 shards that are written to some are opened each time.
const OPEN_SEGMENTS: usize = 128;

/// What is to be written, and the journal that makes it safe.
#[derive(Debug)]
pub(crate) struct Committer {
    fsync: Fsync,
    queue: Mutex<Queue>,
    wake: Condvar,
    waiting_bytes: AtomicUsize,
    /// What has been committed last.
    recent: Recent,
    open: Arc<Semaphore>,
    /// Held by the one who commits. Taken before the queue's lock.
    journal: Mutex<Option<Journal>>,
}

#[derive(Debug, Default)]
struct Queue {
    /// One for each group that waits in a log.
    entries: VecDeque<Queued>,
    /// The last commit was of several requests: the next is left to the thread.
    is_busy: bool,
    stopping: bool,
    /// The thread is no more: nothing is written.
    ended: bool,
}

#[derive(Debug)]
struct Queued {
    log: Arc<ShardLog>,
    /// The last of one request.
    ends_request: bool,
}

/// Stops the thread when it is dropped, after what is queued has been written.
#[derive(Debug)]
pub(crate) struct CommitterThread {
    committer: Arc<Committer>,
    thread: Option<JoinHandle<()>>,
}

impl Committer {
    pub(crate) fn new(fsync: Fsync) -> Arc<Self> {
        Arc::new(Self {
            fsync,
            queue: Mutex::default(),
            wake: Condvar::new(),
            waiting_bytes: AtomicUsize::new(0),
            recent: Recent::default(),
            open: Arc::new(Semaphore::new(OPEN_SEGMENTS)),
            journal: Mutex::default(),
        })
    }

    /// Starts the thread. Logs may be appended to before.
    pub(crate) fn start(self: Arc<Self>, journal: Journal) -> std::io::Result<CommitterThread> {
        *self.journal.lock().unwrap_or_else(PoisonError::into_inner) = Some(journal);
        let committer = Arc::clone(&self);
        let thread = thread::Builder::new().name("committer".to_owned()).spawn(move || committer.run())?;
        Ok(CommitterThread { committer: self, thread: Some(thread) })
    }

    pub(super) fn fsync(&self) -> Fsync {
        self.fsync
    }

    pub(super) fn recent(&self) -> &Recent {
        &self.recent
    }

    /// For a segment that is to stay open, if there are not too many.
    pub(super) fn permit_to_keep_open(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.open).try_acquire_owned().ok()
    }

    /// Whether more may wait.
    pub(super) fn has_room(&self) -> bool {
        self.waiting_bytes.load(Ordering::Relaxed) <= MAX_WAITING_BYTES
    }

    pub(super) fn waits(&self, bytes: usize) {
        self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn no_longer_waits(&self, bytes: usize) {
        self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Commits logs, each of which has a new group for this request, or leaves them to the thread.
    pub(super) fn submit(&self, logs: Vec<Arc<ShardLog>>) {
        let last = logs.len().saturating_sub(1);
        let entries = logs.into_iter().enumerate().map(|(at, log)| Queued { log, ends_request: at == last });
        let mut queue = self.lock();
        queue.entries.extend(entries);
        if queue.ended {
            refuse(std::mem::take(&mut queue.entries));
            return;
        }
        let is_busy = queue.is_busy;
        drop(queue);
        if !is_busy && let Ok(mut journal) = self.journal.try_lock() {
            self.commit(&mut journal);
        }
        if !self.lock().entries.is_empty() {
            self.wake.notify_one();
        }
    }

    fn run(&self) {
        let _end = End(self);
        loop {
            let mut queue = self.lock();
            while queue.entries.is_empty() {
                if queue.stopping {
                    drop(queue);
                    let journal = self.journal.lock().ok().and_then(|mut journal| journal.take());
                    if let Some(journal) = journal.filter(|_| self.fsync != Fsync::None) {
                        journal.finish();
                    }
                    return;
                }
                queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
            drop(queue);
            let Ok(mut journal) = self.journal.lock() else {
                tracing::error!("a commit has panicked; no record is stored before a restart");
                return;
            };
            self.commit(&mut journal);
        }
    }

    /// Commits what is queued.
    fn commit(&self, journal: &mut Option<Journal>) {
        let Some(journal) = journal else { return };
        let mut next = {
            let mut queue = self.lock();
            queue.is_busy = queue.entries.iter().filter(|queued| queued.ends_request).nth(1).is_some();
            std::mem::take(&mut queue.entries)
        };
        while !next.is_empty() {
            let writes = self.write(&mut next);
            self.make_safe(journal, writes);
        }
    }

    /// Writes groups to their segments, as many as may share a sync.
    fn write(&self, next: &mut VecDeque<Queued>) -> Vec<Written> {
        let mut writes = Vec::new();
        let mut bytes = 0;
        while let Some(queued) = next.front() {
            // A log's second group has to wait until the first is in.
            if queued.log.is_being_written() {
                break;
            }
            if let Some(written) = queued.log.write_next() {
                bytes += written.bytes().len();
                writes.push(written);
            }
            let ends = self.fsync == Fsync::Always && queued.ends_request;
            next.pop_front();
            if ends || bytes >= COMMIT_BYTES {
                break;
            }
        }
        writes
    }

    fn make_safe(&self, journal: &mut Journal, writes: Vec<Written>) {
        if writes.is_empty() {
            return;
        }
        let result = if self.fsync == Fsync::None { journal.begin() } else { journal.append(&writes) };
        if let Err(error) = &result {
            tracing::error!(%error, "cannot write the journal; no record is stored");
        }
        for written in writes {
            if result.is_ok() { written.commit() } else { written.fail() }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leaves nobody waiting when the thread ends, be it by a panic.
struct End<'a>(&'a Committer);

impl Drop for End<'_> {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        queue.ended = true;
        refuse(std::mem::take(&mut queue.entries));
    }
}

fn refuse(entries: VecDeque<Queued>) {
    for queued in entries {
        queued.log.refuse_next();
    }
}

impl Drop for CommitterThread {
    fn drop(&mut self) {
        self.committer.lock().stopping = true;
        self.committer.wake.notify_one();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that writes records has panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::storage::log::LogId;
    use crate::storage::{NotWritten, Submission, replay};

    #[test]
    fn after_a_commit_that_panicked_nothing_is_stored_and_nobody_waits() {
        let home = tempfile::tempdir().unwrap();
        let journal = home.path().join("journal");
        let committer = Committer::new(Fsync::Batch);
        let replayed = replay(&journal, |_| None).unwrap();
        let _thread = Arc::clone(&committer).start(Journal::new(journal, replayed)).unwrap();
        let id = LogId { stream_id: "stream".into(), shard: 0 };
        let log = ShardLog::open(id, home.path().join("0"), Arc::clone(&committer));
        let put = || {
            let mut submission = Submission::default();
            let appended = log.append([("key", &b"data"[..])].into_iter(), 1, &mut submission).unwrap();
            submission.submit();
            tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(appended.written())
        };
        assert_eq!(put(), Ok(()));
        let commit = Arc::clone(&committer);
        let panicked = thread::spawn(move || {
            let _journal = commit.journal.lock().unwrap();
            panic!("in the middle of a commit");
        });
        assert!(panicked.join().is_err());
        assert_eq!([put(), put()], [Err(NotWritten::Failed); 2]);
    }
}
