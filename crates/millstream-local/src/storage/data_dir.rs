//! The data directory: its version, its lock, and files replaced as a whole.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::upgrade;
use crate::error::LocalError;

const VERSION: &str = "millstream-local 2";
/// Is made into the version above when it is opened.
const VERSION_1: &str = "millstream-local 1";

/// An open data directory. No other server can open it until this is dropped.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Opens a directory, making it if there is none.
    pub(crate) fn open(path: &Path) -> Result<Self, LocalError> {
        let failed = |path: &Path, source: io::Error| LocalError::DataDir { path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(|source| failed(path, source))?;
        let lock_path = path.join("LOCK");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(|source| failed(&lock_path, source))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LocalError::DataDirInUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(failed(&lock_path, source)),
        }
        let data = Self { path: path.to_owned(), _lock: lock };
        data.check_version()?;
        Ok(data)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn check_version(&self) -> Result<(), LocalError> {
        let path = self.path.join("VERSION");
        let failed = |source| LocalError::DataDir { path: path.clone(), source };
        match fs::read_to_string(&path) {
            Ok(found) if found.trim() == VERSION => Ok(()),
            Ok(found) if found.trim() == VERSION_1 => {
                tracing::info!(path = %self.path.display(), "the data directory is of version 1: upgrading");
                upgrade::from_version_1(&self.path).map_err(failed)?;
                replace(&path, format!("{VERSION}\n").as_bytes()).map_err(failed)
            }
            Ok(found) => Err(LocalError::DataDirVersion {
                path: self.path.clone(),
                found: found.trim().to_owned(),
                expected: VERSION,
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                replace(&path, format!("{VERSION}\n").as_bytes()).map_err(failed)
            }
            Err(error) => Err(failed(error)),
        }
    }
}

/// What a metadata file holds; nothing if there is none.
pub(crate) fn read_json<T: DeserializeOwned + Default>(path: PathBuf) -> Result<T, LocalError> {
    match fs::read(&path) {
        Ok(bytes) => {
            serde_json::from_slice(&bytes).map_err(|error| LocalError::Damaged { path, reason: error.to_string() })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(T::default()),
        Err(source) => Err(LocalError::DataDir { path, source }),
    }
}

/// Makes a file hold `bytes`, all or nothing also over a power loss.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    finish_replacing(path, &temporary, &File::create(&temporary)?, bytes)
}

/// [`replace`], with a temporary file that the caller has made as it is to be.
pub(crate) fn finish_replacing(path: &Path, temporary: &Path, mut file: &File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(temporary, path)?;
    sync_dir(path.parent().unwrap_or(Path::new(".")))
}

/// Makes the names in a directory durable.
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_directory_has_one_server_and_one_version() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("deep/data");
        let first = DataDir::open(&path).unwrap();
        let error = DataDir::open(&path).unwrap_err();
        assert!(matches!(error, LocalError::DataDirInUse { .. }), "{error}");
        drop(first);
        drop(DataDir::open(&path).unwrap());
        fs::write(path.join("VERSION"), "millstream-local 9\n").unwrap();
        let error = DataDir::open(&path).unwrap_err();
        assert!(error.to_string().contains(r#"has version "millstream-local 9", this program reads"#), "{error}");
    }
}
