//! What a log file holds when the server starts.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

use super::frame::{self, Frame, Parsed};

const CHUNK: usize = 1024 * 1024;

/// Shows every record of a log to `seen`, with the offset of its frame, and gives the log's length.
///
/// What follows the last whole record was never acknowledged, or the disk has lost it. It is cut off, and kept beside
/// the log in a file that ends in `.cut`.
pub(crate) fn recover(path: &Path, mut seen: impl FnMut(u64, &Frame<'_>)) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let mut buffer = Vec::new();
    let (mut offset, mut last_index) = (0u64, 0u64);
    loop {
        let more = (&mut file).take(CHUNK as u64).read_to_end(&mut buffer)?;
        let mut used = 0;
        let torn = loop {
            match frame::parse(&buffer[used..]) {
                Parsed::Frame(record, length) if record.index > last_index => {
                    seen(offset, &record);
                    last_index = record.index;
                    used += length;
                    offset += length as u64;
                }
                Parsed::Incomplete(_) if more > 0 => break false,
                Parsed::Incomplete(_) => break used < buffer.len(),
                Parsed::Frame(..) | Parsed::Corrupt => break true,
            }
        };
        buffer.drain(..used);
        if torn {
            file.read_to_end(&mut buffer)?;
            cut(path, offset, &buffer)?;
            return Ok(offset);
        }
        if more == 0 {
            return Ok(offset);
        }
    }
}

fn cut(path: &Path, offset: u64, tail: &[u8]) -> io::Result<()> {
    tracing::warn!(
        file = %path.display(),
        offset,
        bytes = tail.len(),
        "cut what follows the last whole record; it is kept in a .cut file"
    );
    fs::write(path.with_extension(format!("log.{offset}.cut")), tail)?;
    let file = OpenOptions::new().write(true).open(path)?;
    file.set_len(offset)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Three records and their offsets.
    fn log() -> (Vec<u8>, Vec<usize>) {
        let (mut bytes, mut ends) = (Vec::new(), vec![0]);
        for (index, data) in [(1, vec![1; 10]), (2, vec![2; 2 * CHUNK]), (5, vec![])] {
            Frame { index, arrival_ms: 1000 + index, partition_key: "k", data: &data }.write(&mut bytes);
            ends.push(bytes.len());
        }
        (bytes, ends)
    }

    fn recovered(bytes: &[u8]) -> (Vec<(u64, u64)>, u64, u64) {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("0.log");
        fs::write(&path, bytes).unwrap();
        let mut seen = Vec::new();
        let end = recover(&path, |offset, record| seen.push((offset, record.index))).unwrap();
        (seen, end, fs::metadata(&path).unwrap().len())
    }

    #[test]
    fn a_torn_tail_is_cut_after_the_last_whole_record() {
        let (bytes, ends) = log();
        let all: Vec<(u64, u64)> = ends.iter().zip([1, 2, 5]).map(|(end, index)| (*end as u64, index)).collect();
        assert_eq!(recovered(&bytes), (all.clone(), bytes.len() as u64, bytes.len() as u64));
        for cut in [1, ends[1] - 1, ends[1], ends[1] + 1, ends[2] - 1, ends[2] + 3, ends[2] + 20, ends[3] - 1] {
            let whole = ends.iter().rposition(|end| *end <= cut).unwrap();
            let end = ends[whole] as u64;
            assert_eq!(recovered(&bytes[..cut]), (all[..whole].to_vec(), end, end), "cut at {cut}");
        }
    }

    #[test]
    fn zeros_garbage_and_repeated_records_at_the_end_are_cut() {
        let (bytes, ends) = log();
        for tail in [vec![0; 4096], vec![0xff; 7], bytes[ends[0]..ends[1]].to_vec()] {
            let (seen, end, length) = recovered(&[&bytes[..], &tail].concat());
            assert_eq!((seen.len(), end, length), (3, bytes.len() as u64, bytes.len() as u64));
        }
    }
}
