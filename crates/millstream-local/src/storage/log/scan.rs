//! What the end of a segment holds when the server starts.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::storage::frame::{self, Frame, Parsed};

const CHUNK: usize = 1024 * 1024;
/// A frame found behind damage continues the records before it: its index is not further ahead than this.
const MOST_LOST: u64 = 1 << 32;

/// A frame and its place.
pub(in crate::storage) struct Seen<'a> {
    pub(in crate::storage) offset: u64,
    pub(in crate::storage) record: Frame<'a>,
    /// There is something unreadable before it.
    pub(in crate::storage) after_damage: bool,
}

/// Shows every record from an offset on, and gives the length of the segment.
///
/// What follows the last whole record was never acknowledged, or the disk has lost it. It is cut off, and kept beside
/// the segment in a file that ends in `.cut`. Damage with whole records behind it stays as it is: the records are
/// shown, and whoever reads the damage is told.
pub(in crate::storage) fn scan(path: &Path, start: u64, mut seen: impl FnMut(Seen<'_>)) -> io::Result<u64> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(start))?;
    let mut buffer = Vec::new();
    let (mut offset, mut last_index, mut after_damage) = (start, 0u64, false);
    loop {
        let more = (&mut file).take(CHUNK as u64).read_to_end(&mut buffer)?;
        let mut used = 0;
        let unreadable = loop {
            match frame::parse(&buffer[used..]) {
                Parsed::Frame(record, length) if record.index > last_index => {
                    last_index = record.index;
                    seen(Seen { offset: offset + used as u64, record, after_damage });
                    after_damage = false;
                    used += length;
                }
                Parsed::Incomplete(_) if more > 0 => break false,
                Parsed::Incomplete(_) => break used < buffer.len(),
                Parsed::Frame(..) | Parsed::Corrupt => break true,
            }
        };
        buffer.drain(..used);
        offset += used as u64;
        if unreadable {
            file.read_to_end(&mut buffer)?;
            let Some(skip) = find_frame(&buffer, last_index) else {
                cut(path, offset, &buffer)?;
                return Ok(offset);
            };
            tracing::error!(
                segment = %path.display(),
                offset,
                bytes = skip,
                "a part of a segment is damaged; reading it will fail, the records behind it are there"
            );
            buffer.drain(..skip);
            offset += skip as u64;
            after_damage = true;
        } else if more == 0 {
            return Ok(offset);
        }
    }
}

/// Where the next whole frame that continues the records starts.
fn find_frame(bytes: &[u8], last_index: u64) -> Option<usize> {
    let later = last_index + 1..last_index.saturating_add(MOST_LOST);
    (1..bytes.len()).find(|at| {
        // The checksum is worked out only where the index fits: each is over up to ten megabytes.
        frame::head_of(&bytes[*at..]).is_some_and(|(index, _)| later.contains(&index))
            && matches!(frame::parse(&bytes[*at..]), Parsed::Frame(..))
    })
}

fn cut(path: &Path, offset: u64, tail: &[u8]) -> io::Result<()> {
    tracing::warn!(
        segment = %path.display(),
        offset,
        bytes = tail.len(),
        "cut what follows the last whole record; it is kept in a .cut file"
    );
    fs::write(path.with_extension(format!("{offset}.cut")), tail)?;
    let file = OpenOptions::new().write(true).open(path)?;
    file.set_len(offset)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Four records and their offsets.
    fn segment() -> (Vec<u8>, Vec<usize>) {
        let (mut bytes, mut ends) = (Vec::new(), vec![0]);
        for (index, data) in [(1, vec![1; 10]), (2, vec![2; 2 * CHUNK]), (5, vec![]), (6, vec![6; 40])] {
            Frame { index, arrival_ms: 1000 + index, partition_key: "k", data: &data }.write(&mut bytes);
            ends.push(bytes.len());
        }
        (bytes, ends)
    }

    /// What is seen, the length that is said and the length of the file.
    fn scanned(bytes: &[u8]) -> (Vec<(u64, u64)>, u64, u64) {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("1-1.segment");
        fs::write(&path, bytes).unwrap();
        let mut found = Vec::new();
        let end = scan(&path, 0, |seen| found.push((seen.offset, seen.record.index))).unwrap();
        (found, end, fs::metadata(&path).unwrap().len())
    }

    #[test]
    fn a_torn_tail_is_cut_after_the_last_whole_record() {
        let (bytes, ends) = segment();
        let all: Vec<(u64, u64)> = ends.iter().zip([1, 2, 5, 6]).map(|(end, index)| (*end as u64, index)).collect();
        assert_eq!(scanned(&bytes), (all.clone(), bytes.len() as u64, bytes.len() as u64));
        for cut in [1, ends[1] - 1, ends[1], ends[1] + 1, ends[2] - 1, ends[2] + 3, ends[2] + 20, ends[4] - 1] {
            let whole = ends.iter().rposition(|end| *end <= cut).unwrap();
            let end = ends[whole] as u64;
            assert_eq!(scanned(&bytes[..cut]), (all[..whole].to_vec(), end, end), "cut at {cut}");
        }
    }

    #[test]
    fn zeros_garbage_and_repeated_records_at_the_end_are_cut() {
        let (bytes, ends) = segment();
        for tail in [vec![0; 4096], vec![0xff; 7], bytes[ends[0]..ends[1]].to_vec()] {
            let (seen, end, length) = scanned(&[&bytes[..], &tail].concat());
            assert_eq!((seen.len(), end, length), (4, bytes.len() as u64, bytes.len() as u64));
        }
    }

    #[test]
    fn damage_with_records_behind_it_is_left_and_passed() {
        let (bytes, ends) = segment();
        for (at, left) in [(3, &[2, 5, 6][..]), (ends[1] + 100, &[1, 5, 6]), (ends[2] + 9, &[1, 2, 6])] {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x40;
            let (seen, end, length) = scanned(&damaged);
            assert_eq!(seen.iter().map(|(_, index)| *index).collect::<Vec<_>>(), left, "damage at {at}");
            assert_eq!((end, length), (bytes.len() as u64, bytes.len() as u64));
        }
    }
}
