//! Why a checkpoint directory can't be used.

use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// What is wrong with a checkpoint directory, and what to do.
#[derive(Debug, Error)]
pub enum RecoveryError {
    /// Another process has it.
    #[error(
        "the checkpoint directory {} is in use by another process; stop that one, or give this program a directory of its own", .0.display()
    )]
    InUse(PathBuf),
    /// The system refuses to read or write.
    #[error("the checkpoint file {} can't be {doing}: {cause}", .path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// "read" or "written".
        doing: &'static str,
        /// The system's error.
        cause: io::Error,
    },
    /// Not a checkpoint file, or damaged behind its beginning, with whole entries behind the damage.
    #[error(
        "the checkpoint file {} is damaged at byte {at}: {what}; bring it back from a copy, or begin anew with another directory (what \
         the lease table calls processed is then missing in the states)", .path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where.
        at: usize,
        /// What was found there.
        what: String,
    },
    /// Written by a newer release.
    #[error(
        "the checkpoint file {} has format version {found}, and this release reads up to version {known}: use the newer release that \
         wrote it", .path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// The file's version.
        found: u32,
        /// The latest known version.
        known: u32,
    },
}
