//! A batch as a folder of text files.

use crate::Partitions;
use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Writes `folder` with a file for each partition. It is written beside its place and moved there when complete.
pub(crate) fn write<T: Display>(folder: &Path, data: &Partitions<T>) -> io::Result<()> {
    let in_the_making = with_suffix(folder, "._temporary");
    if folder.exists() {
        let message = format!("{} is there already; remove it or choose another prefix", folder.display());
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
    }
    // What a batch that failed left behind.
    match fs::remove_dir_all(&in_the_making) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::create_dir_all(&in_the_making)?;
    for (number, partition) in data.partitions().enumerate() {
        let mut file = BufWriter::new(File::create(in_the_making.join(format!("part-{number:05}")))?);
        for element in partition {
            writeln!(file, "{element}")?;
        }
        file.into_inner()?.sync_all()?;
    }
    File::create(in_the_making.join("_SUCCESS"))?;
    fs::rename(in_the_making, folder)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_batch_becomes_a_folder_at_once_and_is_never_overwritten() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("below/counts-1000.txt");
        // A batch that failed half-way must not lend its files to this one.
        let left_behind = home.path().join("below/counts-1000.txt._temporary");
        fs::create_dir_all(&left_behind).unwrap();
        fs::write(left_behind.join("part-00007"), "stale").unwrap();

        let data = Partitions::from_iter([vec!["one", "two"], vec![], vec!["three"]]);
        write(&folder, &data).unwrap();
        let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        files.sort();
        assert_eq!(files, ["_SUCCESS", "part-00000", "part-00001", "part-00002"]);
        let part = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        assert_eq!([part("part-00000"), part("part-00001"), part("part-00002")], ["one\ntwo\n", "", "three\n"]);
        assert!(!left_behind.exists());

        let error = write(&folder, &Partitions::from(vec!["other"])).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(part("part-00000"), "one\ntwo\n");
    }
}
