//! Bringing segments to the disk, so that the journal need not keep what is in them.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crate::storage::log::{ShardLog, Written, naming_directories};
use crate::storage::sync_dir;

/// Segments that have been written and not synced.
#[derive(Debug, Default)]
pub(crate) struct Dirty {
    segments: HashMap<PathBuf, Option<Arc<ShardLog>>>,
    /// With names that have not been synced.
    directories: BTreeSet<PathBuf>,
}

/// A sync of segments under way.
#[derive(Debug)]
pub(super) struct Checkpoint(Option<JoinHandle<bool>>);

impl Dirty {
    pub(super) fn extend(&mut self, writes: &[Written]) {
        for write in writes {
            if !self.segments.contains_key(write.path()) {
                self.segments.insert(write.path().to_owned(), Some(Arc::clone(write.log())));
            }
            if write.is_new() {
                self.directories.extend(naming_directories(write.path()).map(Path::to_owned));
            }
        }
    }

    /// Adds a segment that has been found at the start.
    pub(crate) fn found(&mut self, path: PathBuf) {
        self.directories.extend(naming_directories(&path).map(Path::to_owned));
        self.segments.insert(path, None);
    }

    /// Whether all of it is on the disk. A shard whose segment cannot be synced takes no more records.
    pub(super) fn sync(&self) -> bool {
        let mut all = true;
        for (path, log) in &self.segments {
            let Err(error) = gone_is_fine(File::open(path).and_then(|file| file.sync_data())) else { continue };
            tracing::error!(%error, segment = %path.display(), "cannot sync a segment; its shard takes no more records");
            if let Some(log) = log {
                log.give_up();
            }
            all = false;
        }
        for path in &self.directories {
            if let Err(error) = gone_is_fine(sync_dir(path)) {
                tracing::error!(%error, directory = %path.display(), "cannot sync a directory");
                all = false;
            }
        }
        all
    }
}

impl Checkpoint {
    pub(super) fn start(dirty: Dirty) -> Self {
        let dirty = Arc::new(dirty);
        let of_thread = Arc::clone(&dirty);
        match thread::Builder::new().name("checkpoint".to_owned()).spawn(move || of_thread.sync()) {
            Ok(thread) => Self(Some(thread)),
            Err(error) => {
                tracing::warn!(%error, "cannot start a thread; the checkpoint is made without one");
                dirty.sync();
                Self(None)
            }
        }
    }

    /// Waits for its end, and whether it succeeded.
    pub(super) fn wait(self) -> bool {
        self.0.is_none_or(|thread| thread.join().unwrap_or(false))
    }
}

/// What has been deleted meanwhile need not be synced.
fn gone_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}
