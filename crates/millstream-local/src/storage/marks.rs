//! Marks: where in a segment some of its frames start, so that finding a record or the end of a segment does not take
//! reading all of it.
//!
//! They stand in a file beside the segment, 32 bytes each: `offset u64 | index u64 | arrival ms u64 | kind u32 |
//! crc32 u32`, little endian, the checksum being that of the 28 bytes before it. What does not check ends the file.
//! Marks are written after their frames have been stored. All can be found again from the segment alone.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// A mark is made for about every so many bytes: finding a record reads no more than this too much.
pub(super) const MARK_BYTES: usize = 64 * 1024;
/// Bytes of a mark in a file.
const LENGTH: usize = 32;
const FRAME: u32 = 0;
const SEAL: u32 = 1;

/// Where a frame starts, and which record it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) offset: u64,
    pub(super) index: u64,
    pub(super) arrival_ms: u64,
}

/// What the file beside a segment holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    /// In their order.
    pub(super) frames: Vec<Mark>,
    /// The length of a segment that is complete.
    pub(super) sealed_length: Option<u64>,
}

impl Marks {
    /// Reads what checks; nothing if there is no file.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        match fs::read(path) {
            Ok(bytes) => Ok(Self::parse(&bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    fn parse(bytes: &[u8]) -> Self {
        let mut marks = Self::default();
        for entry in bytes.chunks(LENGTH) {
            let Some((kind, mark)) = parse_entry(entry) else { break };
            if kind == SEAL {
                marks.sealed_length = Some(mark.offset);
            } else {
                // What a crash between a seal and the next segment left behind: the segment grew on.
                marks.sealed_length = None;
                marks.frames.push(mark);
            }
        }
        marks
    }
}

/// Adds marks to the file of a segment.
pub(super) fn append(path: &Path, frames: &[Mark]) -> io::Result<()> {
    let bytes: Vec<u8> = frames.iter().flat_map(|mark| entry(FRAME, *mark)).collect();
    OpenOptions::new().create(true).append(true).open(path)?.write_all(&bytes)
}

/// Says that a segment is complete, with its length and its last record; on the disk when this returns.
pub(super) fn seal(path: &Path, end: Mark) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(&entry(SEAL, end))?;
    file.sync_data()
}

/// The offset of a frame at or before the first that an index and an arrival time allow.
pub(super) fn offset_before(frames: &[Mark], index: u64, arrival_ms: u64) -> u64 {
    let by_index = frames.partition_point(|mark| mark.index <= index);
    let by_arrival = frames.partition_point(|mark| mark.arrival_ms < arrival_ms);
    by_index.max(by_arrival).checked_sub(1).map_or(0, |at| frames[at].offset)
}

fn entry(kind: u32, mark: Mark) -> [u8; LENGTH] {
    let mut entry = [0; LENGTH];
    entry[..8].copy_from_slice(&mark.offset.to_le_bytes());
    entry[8..16].copy_from_slice(&mark.index.to_le_bytes());
    entry[16..24].copy_from_slice(&mark.arrival_ms.to_le_bytes());
    entry[24..28].copy_from_slice(&kind.to_le_bytes());
    let sum = crc32fast::hash(&entry[..28]);
    entry[28..].copy_from_slice(&sum.to_le_bytes());
    entry
}

fn parse_entry(entry: &[u8]) -> Option<(u32, Mark)> {
    let (fields, sum) = entry.split_last_chunk::<4>()?;
    let (offset, rest) = fields.split_first_chunk::<8>()?;
    let (index, rest) = rest.split_first_chunk::<8>()?;
    let (arrival_ms, kind) = rest.split_first_chunk::<8>()?;
    if crc32fast::hash(fields) != u32::from_le_bytes(*sum) {
        return None;
    }
    let number = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
    let mark = Mark { offset: number(offset), index: number(index), arrival_ms: number(arrival_ms) };
    Some((u32::from_le_bytes(kind.try_into().ok()?), mark))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn mark(nth: u64) -> Mark {
        Mark { offset: nth * 100, index: nth * 10, arrival_ms: nth }
    }

    #[test]
    fn marks_are_read_up_to_the_first_that_is_damaged() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("marks");
        assert_eq!(Marks::read(&path).unwrap(), Marks::default());
        append(&path, &[mark(1), mark(2)]).unwrap();
        append(&path, &[mark(3)]).unwrap();
        seal(&path, mark(4)).unwrap();
        let all = Marks { frames: vec![mark(1), mark(2), mark(3)], sealed_length: Some(400) };
        assert_eq!(Marks::read(&path).unwrap(), all);
        let bytes = fs::read(&path).unwrap();
        for cut in 0..bytes.len() {
            let marks = Marks::parse(&bytes[..cut]);
            assert_eq!((&marks.frames[..], marks.sealed_length), (&all.frames[..cut / LENGTH], None));
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Marks::parse(&flipped).frames[..], all.frames[..(bit / 8 / LENGTH).min(3)], "bit {bit}");
        }
    }

    #[test]
    fn a_place_is_looked_for_from_the_last_mark_before_it() {
        let frames = [mark(1), mark(2), mark(3)];
        for (index, arrival_ms, offset) in [(0, 0, 0), (9, 0, 0), (10, 0, 100), (25, 0, 200), (0, 1, 0), (0, 2, 100)] {
            assert_eq!(offset_before(&frames, index, arrival_ms), offset, "{index} {arrival_ms}");
        }
        assert_eq!(offset_before(&frames, 10, 9), 300);
    }
}
