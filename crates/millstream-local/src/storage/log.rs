//! The bytes of one shard, in a file or in memory.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

/// Appends to memory are gathered into pieces of this size, so that none is moved when the log grows.
const PIECE_BYTES: usize = 256 * 1024;

/// An append-only sequence of bytes.
///
/// A file is opened for each use: a stream of a thousand shards would otherwise hold a thousand descriptors, and the
/// opening costs next to nothing beside a sync or a read.
#[derive(Debug)]
pub(crate) enum Log {
    Memory(RwLock<Vec<Piece>>),
    File(PathBuf),
}

/// Consecutive bytes of a log in memory; frames lie within one piece.
#[derive(Debug)]
pub(crate) struct Piece {
    start: u64,
    bytes: Vec<u8>,
}

/// A log opened for reading.
pub(crate) enum LogReader<'a> {
    Memory(&'a RwLock<Vec<Piece>>),
    File(File),
}

impl Log {
    pub(crate) fn in_memory() -> Self {
        Self::Memory(RwLock::default())
    }

    /// Makes an empty file. Its name is durable once its directory is synced.
    pub(crate) fn create(path: PathBuf) -> io::Result<Self> {
        File::create(&path)?;
        Ok(Self::File(path))
    }

    /// A file that is there already.
    pub(crate) fn existing(path: PathBuf) -> Self {
        Self::File(path)
    }

    /// Whether an append takes the time of a disk.
    pub(crate) fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// Puts whole frames at the end, which is at `offset`; a file is synced.
    ///
    /// After an error the file is as it was, or the error says that it could not be made so.
    pub(crate) fn append(&self, offset: u64, bytes: &[u8]) -> Result<(), AppendError> {
        match self {
            Self::Memory(pieces) => {
                let mut pieces = pieces.write().unwrap_or_else(PoisonError::into_inner);
                match pieces.last_mut() {
                    Some(last) if last.bytes.len() + bytes.len() <= PIECE_BYTES => last.bytes.extend_from_slice(bytes),
                    _ => pieces.push(Piece { start: offset, bytes: bytes.to_vec() }),
                }
                Ok(())
            }
            Self::File(path) => append_to_file(path, offset, bytes),
        }
    }

    pub(crate) fn reader(&self) -> io::Result<LogReader<'_>> {
        match self {
            Self::Memory(pieces) => Ok(LogReader::Memory(pieces)),
            Self::File(path) => File::open(path).map(LogReader::File),
        }
    }
}

/// Why bytes could not be appended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AppendError {
    /// Nothing was appended; the next append may succeed.
    #[error("{0}")]
    Failed(io::Error),
    /// The file may hold part of what was to be appended and cannot be cut.
    #[error("{0}; the file could not be cut to its former length either")]
    Broken(io::Error),
}

fn append_to_file(path: &Path, offset: u64, bytes: &[u8]) -> Result<(), AppendError> {
    let file = OpenOptions::new().write(true).open(path).map_err(AppendError::Failed)?;
    match file.write_all_at(bytes, offset).and_then(|()| file.sync_data()) {
        Ok(()) => Ok(()),
        Err(error) => match file.set_len(offset).and_then(|()| file.sync_all()) {
            Ok(()) => Err(AppendError::Failed(error)),
            Err(_) => Err(AppendError::Broken(error)),
        },
    }
}

impl LogReader<'_> {
    /// Appends at least one byte from `offset` on to `out`, and at most `limit`. A piece of memory is not passed.
    pub(crate) fn read(&self, offset: u64, limit: usize, out: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Memory(pieces) => {
                let pieces = pieces.read().unwrap_or_else(PoisonError::into_inner);
                let piece = pieces.partition_point(|piece| piece.start <= offset).checked_sub(1).map(|at| &pieces[at]);
                let bytes = piece.and_then(|piece| piece.bytes.get(usize::try_from(offset - piece.start).ok()?..));
                let bytes = bytes.filter(|bytes| !bytes.is_empty()).ok_or(io::ErrorKind::UnexpectedEof)?;
                out.extend_from_slice(&bytes[..bytes.len().min(limit)]);
                Ok(())
            }
            Self::File(file) => {
                let start = out.len();
                out.resize(start + limit, 0);
                let count = loop {
                    match file.read_at(&mut out[start..], offset) {
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        result => break result,
                    }
                };
                out.truncate(start + *count.as_ref().unwrap_or(&0));
                match count {
                    Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
                    Ok(_) => Ok(()),
                    Err(error) => Err(error),
                }
            }
        }
    }
}
