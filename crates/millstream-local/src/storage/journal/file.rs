//! A file of the journal: written around the system's cache where that can be done.
//!
//! What goes through the cache is copied into it, written out by a sync, and never read again. A direct write that returns
//! when it is on the disk (`O_DIRECT` and `O_DSYNC`, open(2)) took 83 µs here where a write and a sync took 105.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// What direct writes are aligned to, in the file and in memory: the size of a disk's block or a multiple of it.
const BLOCK: usize = 4096;

#[derive(Debug)]
pub(super) struct JournalFile {
    /// For whatever is not a group.
    file: File,
    /// For groups; `None` where the file system knows no direct writes.
    direct: Option<File>,
}

impl JournalFile {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.create(true).truncate(false).read(true).write(true).open(path)?;
        #[cfg(target_os = "linux")]
        let direct = options.custom_flags(libc::O_DIRECT | libc::O_DSYNC).open(path).ok();
        #[cfg(not(target_os = "linux"))]
        let direct = None;
        Ok(Self { file, direct })
    }

    /// What the place, the length and the address of a group have to be multiples of.
    pub(super) fn alignment(&self) -> usize {
        if self.direct.is_some() { BLOCK } else { 1 }
    }

    /// Writes a group and returns when it is on the disk.
    pub(super) fn write(&mut self, group: &[u8], position: u64) -> io::Result<()> {
        if let Some(direct) = &self.direct {
            match direct.write_all_at(group, position) {
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                    tracing::info!(%error, "the journal can't be written directly here; it is synced instead");
                    self.direct = None;
                }
                written => return written,
            }
        }
        self.file.write_all_at(group, position)?;
        self.file.sync_data()
    }

    pub(super) fn plain(&self) -> &File {
        &self.file
    }
}
