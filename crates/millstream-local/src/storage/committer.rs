//! The one thread that writes records: it takes what has been appended to any number of logs, and makes it safe with
//! one sync.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use super::journal::Journal;
use super::log::{ShardLog, Written};
use crate::config::Fsync;

/// Bytes that may wait for the disk before records are refused.
const MAX_WAITING_BYTES: usize = 64 * 1024 * 1024;
/// A commit that has become so large takes no more groups.
const COMMIT_BYTES: usize = 16 * 1024 * 1024;

/// What the logs have of the thread.
#[derive(Debug)]
pub(crate) struct Committer {
    fsync: Fsync,
    queue: Mutex<Queue>,
    wake: Condvar,
    waiting_bytes: AtomicUsize,
}

#[derive(Debug, Default)]
struct Queue {
    /// One for each group that waits in a log.
    entries: VecDeque<Queued>,
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
        let (queue, wake) = (Mutex::default(), Condvar::new());
        Arc::new(Self { fsync, queue, wake, waiting_bytes: AtomicUsize::new(0) })
    }

    /// Starts the thread. Logs may be appended to before.
    pub(crate) fn start(self: Arc<Self>, journal: Journal) -> std::io::Result<CommitterThread> {
        let committer = Arc::clone(&self);
        let thread = thread::Builder::new().name("committer".to_owned()).spawn(move || committer.run(journal))?;
        Ok(CommitterThread { committer: self, thread: Some(thread) })
    }

    pub(super) fn fsync(&self) -> Fsync {
        self.fsync
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

    /// Queues logs, each of which has a new group for this request.
    pub(super) fn submit(&self, logs: Vec<Arc<ShardLog>>) {
        let last = logs.len().saturating_sub(1);
        let entries = logs.into_iter().enumerate().map(|(at, log)| Queued { log, ends_request: at == last });
        let mut queue = self.lock();
        queue.entries.extend(entries);
        if queue.ended {
            refuse(std::mem::take(&mut queue.entries));
        }
        drop(queue);
        self.wake.notify_one();
    }

    fn run(&self, mut journal: Journal) {
        let _end = End(self);
        loop {
            let mut queue = self.lock();
            while queue.entries.is_empty() {
                if queue.stopping {
                    drop(queue);
                    if self.fsync != Fsync::None {
                        journal.finish();
                    }
                    return;
                }
                queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
            let mut next = std::mem::take(&mut queue.entries);
            drop(queue);
            while !next.is_empty() {
                let writes = self.write(&mut next);
                self.make_safe(&mut journal, writes);
            }
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
