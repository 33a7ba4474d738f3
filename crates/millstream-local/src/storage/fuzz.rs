//! What the files of a data directory may hold, as a fuzz target tries it: no panic, and what is read is read alike
//! again.
//!
//! Checksums are mended first: no fuzzer finds them, and what lies behind them is to be tried.

#![allow(clippy::expect_used, reason = "a fuzz target says by a panic what is wrong")]

use std::fs;
use std::path::Path;

use super::frame::{self, Frame, Parsed};
use super::journal::entry;
use super::log::scan::scan;
use super::marks::Marks;

/// Reads bytes as one of the files; which one, the first byte says. `home` is a directory for them.
///
/// # Panics
/// If something is read that is not there.
pub(crate) fn read(home: &Path, input: &[u8]) {
    let Some((kind, bytes)) = input.split_first() else { return };
    match kind % 3 {
        0 => segment(home, bytes),
        1 => journal(bytes),
        _ => marks(home, bytes),
    }
}

fn segment(home: &Path, bytes: &[u8]) {
    let path = home.join("fuzzed.segment");
    fs::write(&path, mended(bytes)).expect("the directory can be written");
    let scanned = || {
        let mut records = Vec::new();
        let end = scan(&path, 0, |seen| records.push((seen.offset, seen.record.index))).expect("the file can be read");
        (records, end)
    };
    let (records, end) = scanned();
    assert!(records.is_sorted_by(|one, other| one.0 < other.0 && one.1 < other.1), "{records:?}");
    assert_eq!(fs::metadata(&path).map(|metadata| metadata.len()).ok(), Some(end));
    assert_eq!(scanned(), (records, end), "what was cut is gone, all else is still there");
    for file in fs::read_dir(home).into_iter().flatten().flatten() {
        let _ = fs::remove_file(file.path());
    }
}

/// The bytes with the checksums that their frames should have.
fn mended(bytes: &[u8]) -> Vec<u8> {
    let (mut bytes, mut at) = (bytes.to_vec(), 0);
    while let Some(rest) = bytes.get_mut(at..).filter(|rest| rest.len() >= 8) {
        let length = u32::from_le_bytes([rest[0], rest[1], rest[2], rest[3]]) as usize;
        let Some(payload) = rest.get(8..).and_then(|payload| payload.get(..length)) else { break };
        let sum = crc32fast::hash(payload);
        rest[4..8].copy_from_slice(&sum.to_le_bytes());
        if let Parsed::Frame(Frame { index, arrival_ms, partition_key, data }, length) = frame::parse(rest) {
            let mut again = Vec::new();
            Frame { index, arrival_ms, partition_key, data }.write(&mut again);
            assert_eq!(again, rest[..length], "a frame is written as it was read");
        }
        at += 8 + length;
    }
    bytes
}

fn journal(bytes: &[u8]) {
    let mut group = Vec::new();
    entry::begin(&mut group, 7);
    group.extend_from_slice(bytes);
    entry::finish(&mut group);
    if let Some((epoch, entries, length)) = entry::parse(&group) {
        let mut again = Vec::new();
        entry::begin(&mut again, epoch);
        for found in &entries {
            entry::push(&mut again, &found.id, found.name, found.offset, found.bytes);
        }
        entry::finish(&mut again);
        // What fills a block is not among the entries.
        assert!(again.len() <= length);
        assert_eq!(entry::parse(&again), Some((epoch, entries, again.len())), "a group is read as it was written");
    }
    // And as it is.
    entry::parse(bytes);
}

fn marks(home: &Path, bytes: &[u8]) {
    let path = home.join("fuzzed.marks");
    fs::write(&path, bytes).expect("the directory can be written");
    Marks::read(&path).expect("the file can be read");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

        #[test]
        fn no_file_does_harm(
            kind in 0..3_u8,
            frames in prop::collection::vec((0..20_u64, "[a-z]{0,3}", prop::collection::vec(any::<u8>(), 0..40)), 0..6),
            change in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let home = tempfile::tempdir()?;
            let mut bytes = vec![kind];
            for (index, partition_key, data) in &frames {
                Frame { index: *index, arrival_ms: 5, partition_key, data }.write(&mut bytes);
            }
            let at = change.index(bytes.len());
            if at > 0 {
                bytes[at] = byte;
            }
            read(home.path(), &bytes);
        }
    }
}
