//! The files of a checkpoint directory.

use super::entry::Entry;
use super::frame::{self, Unreadable};
use super::{History, LoggedInput, RecoveryError, SavedState};
use crate::BatchTime;
use crate::lifecycle::lock;
use crate::protect::log;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// A file of less than this is not worth a new snapshot.
const LEAST_LOG_BYTES: u64 = 1 << 20;

/// What is written down of the batches, by the driver and the job thread.
pub(crate) struct RecoveryLog {
    directory: PathBuf,
    inner: Mutex<Inner>,
    /// Held, so that no other process uses the directory.
    _lock: File,
}

struct Inner {
    file: File,
    number: u64,
    snapshot_bytes: u64,
    log_bytes: u64,
    history: History,
    given_up: bool,
}

impl RecoveryLog {
    /// Opens a directory, and says where an earlier run has ended; with `anew` that is nowhere, and its files are deleted.
    pub(crate) fn open(directory: &Path, anew: bool) -> Result<(Self, History), RecoveryError> {
        fs::create_dir_all(directory).map_err(|cause| written(directory, cause))?;
        let lock_path = directory.join("lock");
        let lock = OpenOptions::new().create(true).append(true).open(&lock_path);
        let lock = lock.map_err(|cause| written(&lock_path, cause))?;
        lock.try_lock().map_err(|_| RecoveryError::InUse(directory.to_owned()))?;

        let mut history = History::default();
        let (number, (file, bytes)) = match numbers(directory)?.into_iter().max() {
            Some(latest) if !anew => (latest, reopen(&file_path(directory, latest), &mut history)?),
            latest => {
                if latest.is_some() {
                    tracing::warn!(directory = %directory.display(), "states begin anew; what an earlier run has saved is deleted");
                }
                let number = latest.map_or(0, |latest| latest + 1);
                (number, create(&file_path(directory, number), &[])?)
            }
        };
        delete_others(directory, number)?;
        let ended = history.clone();
        history.states.clear();
        let inner = Inner { file, number, snapshot_bytes: 0, log_bytes: bytes, history, given_up: false };
        Ok((Self { directory: directory.to_owned(), inner: Mutex::new(inner), _lock: lock }, ended))
    }

    /// A batch was cut: writes down what of, before it runs.
    pub(crate) fn cut(&self, time: BatchTime, inputs: Vec<LoggedInput>) -> Result<(), RecoveryError> {
        let mut inner = lock(&self.inner);
        if inner.given_up || inputs.iter().all(|input| input.parts.is_empty()) {
            return Ok(());
        }
        self.append(&mut inner, Entry::Cut(time, inputs), true)
    }

    /// A batch has succeeded. True: the file has grown so long that a new one should be begun.
    pub(crate) fn commit(&self, time: BatchTime, states: Vec<SavedState>) -> Result<bool, RecoveryError> {
        let mut inner = lock(&self.inner);
        // When nothing is lost with the entry, it need not be safe at once.
        let sync = !states.is_empty() || inner.history.open.front().is_some_and(|(open, _)| *open <= time);
        self.append(&mut inner, Entry::Committed(time, states), sync)?;
        inner.history.states.clear();
        Ok(inner.log_bytes > inner.snapshot_bytes.max(LEAST_LOG_BYTES))
    }

    /// Begins a new file with a snapshot of all states, as they are after the last commit, and deletes the file before.
    pub(crate) fn begin_file(&self, states: &[SavedState]) -> Result<(), RecoveryError> {
        let mut inner = lock(&self.inner);
        let number = inner.number + 1;
        let (file, bytes) = create(&file_path(&self.directory, number), &inner.history.snapshot(states))?;
        (inner.file, inner.number, inner.snapshot_bytes, inner.log_bytes) = (file, number, bytes, 0);
        delete_others(&self.directory, number)
    }

    /// A batch has failed: nothing is written any more, so that the next run goes on from there.
    pub(crate) fn give_up(&self) {
        lock(&self.inner).give_up();
    }

    pub(crate) fn has_given_up(&self) -> bool {
        lock(&self.inner).given_up
    }

    fn append(&self, inner: &mut Inner, entry: Entry, sync: bool) -> Result<(), RecoveryError> {
        let path = file_path(&self.directory, inner.number);
        let mut bytes = Vec::new();
        push(&mut bytes, &entry).map_err(|cause| written(&path, cause))?;
        let mut write = || {
            inner.file.write_all(&bytes)?;
            if sync { inner.file.sync_data() } else { Ok(()) }
        };
        if let Err(cause) = write() {
            // What is there of the entry is torn: nothing may come behind it.
            inner.give_up();
            return Err(written(&path, cause));
        }
        inner.log_bytes += bytes.len() as u64;
        inner.history.apply(entry);
        Ok(())
    }
}

impl Inner {
    fn give_up(&mut self) {
        if !std::mem::replace(&mut self.given_up, true) {
            self.history = History::default();
            log(|| {
                tracing::error!(
                    "a batch was not committed: nothing is saved any more until the program is started again; it goes on from \
                     that batch"
                );
            });
        }
    }
}

fn push(bytes: &mut Vec<u8>, entry: &Entry) -> io::Result<()> {
    let payload = entry.encode();
    if u32::try_from(payload.len()).is_err() {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "a state, or what a batch changed, has more than 4 GiB",
        ));
    }
    frame::push(bytes, &payload);
    Ok(())
}

/// Makes a file that begins with `entries`. It is there as a whole, or not at all. Its length.
fn create(path: &Path, entries: &[Entry]) -> Result<(File, u64), RecoveryError> {
    let temporary = path.with_extension("new");
    let write = || {
        let mut bytes = frame::header();
        for entry in entries {
            push(&mut bytes, entry)?;
        }
        let mut file = File::create(&temporary)?;
        file.write_all(&bytes)?;
        file.sync_data()?;
        fs::rename(&temporary, path)?;
        sync_directory(path)?;
        Ok((file, bytes.len() as u64))
    };
    write().map_err(|cause| written(path, cause))
}

/// Opens the file of an earlier run to write behind its last whole entry. Its length.
fn reopen(path: &Path, history: &mut History) -> Result<(File, u64), RecoveryError> {
    let bytes = fs::read(path).map_err(|cause| read(path, cause))?;
    let damaged = |at, what: &str| RecoveryError::Damaged { path: path.to_owned(), at, what: what.to_owned() };
    let frames = frame::read(&bytes).map_err(|unreadable| match unreadable {
        Unreadable::NotACheckpoint => damaged(0, "this is no checkpoint file"),
        Unreadable::Version(found) => RecoveryError::Version { path: path.to_owned(), found, known: frame::VERSION },
        Unreadable::Damaged(at) => damaged(at, "an entry is not what was written, and others follow"),
    })?;
    for payload in frames.payloads {
        history.apply(Entry::decode(payload).ok_or_else(|| damaged(0, "an entry is of no known kind"))?);
    }
    let open = || {
        let file = OpenOptions::new().append(true).open(path)?;
        if frames.end < bytes.len() {
            tracing::warn!(path = %path.display(), bytes = bytes.len() - frames.end, "the last entry was not whole and is cut off");
            file.set_len(frames.end as u64)?;
            file.sync_data()?;
        }
        Ok(file)
    };
    Ok((open().map_err(|cause| written(path, cause))?, frames.end as u64))
}

fn sync_directory(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}

fn file_path(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("checkpoint-{number}"))
}

/// The numbers of the checkpoint files.
fn numbers(directory: &Path) -> Result<Vec<u64>, RecoveryError> {
    let list = || {
        let names = fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?;
        Ok(names.iter().filter_map(|name| name.to_str()?.strip_prefix("checkpoint-")?.parse().ok()).collect())
    };
    list().map_err(|cause| read(directory, cause))
}

fn delete_others(directory: &Path, kept: u64) -> Result<(), RecoveryError> {
    for number in numbers(directory)?.into_iter().filter(|number| *number != kept) {
        let path = file_path(directory, number);
        fs::remove_file(&path).map_err(|cause| written(&path, cause))?;
    }
    Ok(())
}

fn read(path: &Path, cause: io::Error) -> RecoveryError {
    RecoveryError::Io { path: path.to_owned(), doing: "read", cause }
}

fn written(path: &Path, cause: io::Error) -> RecoveryError {
    RecoveryError::Io { path: path.to_owned(), doing: "written", cause }
}
