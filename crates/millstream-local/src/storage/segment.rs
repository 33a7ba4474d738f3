//! Segment files: the records of a shard from one index on, as frames one after the other.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What a segment is called by: the first record that it may hold, and when that arrived.
///
/// Both stand in the name of the file, so that a segment is not opened before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SegmentName {
    pub(crate) first_index: u64,
    pub(crate) first_arrival_ms: u64,
}

impl SegmentName {
    /// `<index>-<arrival ms>.segment`, with leading zeros.
    pub(super) fn path(self, directory: &Path) -> PathBuf {
        directory.join(format!("{:020}-{:013}.segment", self.first_index, self.first_arrival_ms))
    }

    /// The file that holds the marks of the segment.
    pub(super) fn marks_path(self, directory: &Path) -> PathBuf {
        self.path(directory).with_extension("marks")
    }

    fn parse(name: &str) -> Option<Self> {
        let (first_index, first_arrival_ms) = name.strip_suffix(".segment")?.split_once('-')?;
        Some(Self { first_index: first_index.parse().ok()?, first_arrival_ms: first_arrival_ms.parse().ok()? })
    }
}

/// The segments in the directory of a shard, oldest first; none if there is no directory.
pub(super) fn list(directory: &Path) -> io::Result<Vec<SegmentName>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry?.file_name().to_str().and_then(SegmentName::parse));
    }
    names.sort_unstable();
    Ok(names)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn segments_are_listed_in_their_order_and_other_files_are_left_alone() {
        let home = tempfile::tempdir().unwrap();
        let name = |first_index| SegmentName { first_index, first_arrival_ms: 1_600_000_000_000 };
        for first_index in [10, 9, u64::MAX] {
            fs::write(name(first_index).path(home.path()), "").unwrap();
            fs::write(name(first_index).marks_path(home.path()), "").unwrap();
        }
        fs::write(home.path().join("notes.segment"), "").unwrap();
        assert_eq!(list(home.path()).unwrap(), [name(9), name(10), name(u64::MAX)]);
        assert_eq!(list(&home.path().join("none")).unwrap(), []);
    }
}
