//! Writing the journal to the segments once more, after a crash.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::checkpoint::Dirty;
use super::entry::{self, Entry};
use super::{KEPT, clean_path};
use crate::storage::log::{LogId, create};

/// How the journal was found.
#[derive(Debug)]
pub(crate) struct Replayed {
    /// The server had stopped by itself: nothing was to be done.
    pub(crate) was_clean: bool,
    /// Segments that have been written.
    pub(crate) dirty: Dirty,
    /// The highest epoch in use.
    pub(super) epoch: u64,
    /// Files that were put aside.
    pub(super) kept: Vec<PathBuf>,
}

/// Writes what the journal holds to the segments. `directory_of` says where a shard's are; `None` if it is no more.
///
/// A shard that cannot be written is left as it is: what happens to it is for its log to say.
pub(crate) fn replay(directory: &Path, directory_of: impl Fn(&LogId) -> Option<PathBuf>) -> io::Result<Replayed> {
    fs::create_dir_all(directory)?;
    let clean = match fs::read_to_string(clean_path(directory)) {
        Ok(text) => text.trim().parse().ok(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if let Some(epoch) = clean {
        return Ok(Replayed { was_clean: true, dirty: Dirty::default(), epoch, kept: Vec::new() });
    }
    let kept = kept_in(directory)?;
    let mut files = Vec::new();
    for path in ["0", "1"].map(|name| directory.join(name)).iter().chain(&kept) {
        match fs::read(path) {
            Ok(bytes) => {
                let epoch = entry::parse(&bytes).map(|(epoch, ..)| epoch);
                files.extend(epoch.map(|epoch| (epoch, bytes)));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    files.sort_unstable_by_key(|(epoch, _)| *epoch);
    let mut replayed = Replayed { was_clean: false, dirty: Dirty::default(), epoch: 0, kept };
    for (epoch, bytes) in files {
        replayed.epoch = epoch;
        let mut rest = &bytes[..];
        while let Some((_, entries, length)) = entry::parse(rest).filter(|(of_group, ..)| *of_group == epoch) {
            for entry in entries {
                let Some(home) = directory_of(&entry.id) else { continue };
                let path = entry.name.path(&home);
                match write(&path, &entry) {
                    Ok(true) => replayed.dirty.found(path),
                    Ok(false) => {}
                    Err(error) => {
                        tracing::error!(%error, segment = %path.display(), "cannot write the journal to a segment");
                    }
                }
            }
            rest = &rest[length..];
        }
    }
    Ok(replayed)
}

fn kept_in(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut kept = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(KEPT) {
            kept.push(path);
        }
    }
    Ok(kept)
}

/// Whether the segment is still wanted: the beginning of one that has expired may be in the journal no longer.
fn write(path: &Path, entry: &Entry<'_>) -> io::Result<bool> {
    let file = match OpenOptions::new().write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && entry.offset == 0 => create(path)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        file => file?,
    };
    file.write_all_at(entry.bytes, entry.offset)?;
    Ok(true)
}
