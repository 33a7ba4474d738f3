//! Data directories of version 1, which had one file a shard: `kinesis/<stream id>/<shard number>.log`.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use super::frame;
use super::segment::SegmentName;
use super::sync_dir;

/// Bytes of a log that are read to name it: a frame's head is smaller.
const HEAD: u64 = 64;

/// Makes segments of the logs in a data directory. They hold the same frames, so that a new name is all it takes; what
/// a crash interrupts goes on at the next start.
pub(super) fn from_version_1(data_dir: &Path) -> io::Result<()> {
    let root = data_dir.join("kinesis");
    for stream in entries(&root)? {
        if stream.is_dir() {
            for log in entries(&stream)? {
                upgrade_log(&stream, &log)?;
            }
            sync_dir(&stream)?;
        }
    }
    Ok(())
}

fn upgrade_log(stream: &Path, log: &Path) -> io::Result<()> {
    let shard = log.file_stem().and_then(|name| name.to_str()).filter(|name| name.parse::<u32>().is_ok());
    let Some(shard) = shard.filter(|_| log.extension().is_some_and(|extension| extension == "log")) else {
        return Ok(());
    };
    let mut head = Vec::new();
    File::open(log)?.take(HEAD).read_to_end(&mut head)?;
    let Some((first_index, first_arrival_ms)) = frame::head_of(&head) else {
        // There is no whole record in it.
        return fs::remove_file(log);
    };
    let directory = stream.join(shard);
    fs::create_dir_all(&directory)?;
    fs::rename(log, SegmentName { first_index, first_arrival_ms }.path(&directory))?;
    sync_dir(&directory)
}

fn entries(directory: &Path) -> io::Result<Vec<std::path::PathBuf>> {
    match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        entries => entries?.map(|entry| entry.map(|entry| entry.path())).collect(),
    }
}
