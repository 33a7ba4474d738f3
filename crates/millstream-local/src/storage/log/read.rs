//! Showing what has been committed, segment by segment; what is kept of the newest one, block by block.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::{Home, ShardLog, Unusable};
use crate::storage::frame::{self, Frame, Parsed};
use crate::storage::marks::{self, Marks};
use crate::storage::recent::Block;
use crate::storage::segment::SegmentName;

/// Bytes read at a time.
const READ_BYTES: usize = 256 * 1024;

/// Which records are wanted: from the first that satisfies both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The lowest index.
    pub(crate) index: u64,
    /// The earliest arrival, in milliseconds.
    pub(crate) arrival_ms: u64,
}

/// Where a read stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stop {
    /// What a later read has to want to go on.
    pub(crate) next: Wanted,
    /// There was nothing more to read.
    pub(crate) caught_up: bool,
    /// Nor was anything on its way.
    pub(crate) settled: bool,
}

/// What takes the records that are read.
pub(crate) trait Take {
    /// A record; `false` refuses it and ends the read.
    fn record(&mut self, record: &Frame<'_>) -> bool;

    /// Consecutive records, all of which are wanted. `false` refuses them: they are shown one by one.
    fn block(&mut self, _block: &Block) -> bool {
        false
    }
}

impl<F: FnMut(&Frame<'_>) -> bool> Take for F {
    #[inline(always)]
    fn record(&mut self, record: &Frame<'_>) -> bool {
        self(record)
    }
}

/// What may hold wanted records.
enum Found {
    Segment(FoundSegment),
    Block(Arc<Block>),
}

/// A segment as it was at one moment.
struct FoundSegment {
    name: SegmentName,
    extent: Extent,
    /// The first index of the segment after it.
    following: Option<u64>,
    last_index: u64,
    settled: bool,
}

enum Extent {
    /// From the frame before the first wanted one to the last committed one.
    Known { offset: u64, end: u64 },
    /// A complete segment on disk: its files know.
    InFile,
}

/// An open segment.
enum Source<'a> {
    Memory(&'a ShardLog, SegmentName),
    File(File),
}

impl ShardLog {
    /// Shows the wanted records to `take`, until there are no more or it refuses one by `false`.
    ///
    /// Reads from the disk: not for an asynchronous task, unless [`ShardLog::is_near`] says that it is not needed.
    pub(crate) fn read(&self, wanted: Wanted, take: &mut impl Take) -> io::Result<Stop> {
        let mut next = wanted;
        loop {
            let found = match self.find(next)? {
                Ok(Found::Segment(found)) => found,
                Ok(Found::Block(block)) => {
                    if read_block(&block, &mut next, take) {
                        continue;
                    }
                    return Ok(Stop { next, caught_up: false, settled: false });
                }
                Err(stop) => return Ok(stop),
            };
            match self.read_segment(&found, &mut next, take) {
                Ok(true) => match found.following {
                    Some(first) => next.index = next.index.max(first),
                    None => {
                        next.index = next.index.max(found.last_index + 1);
                        return Ok(Stop { next, caught_up: true, settled: found.settled });
                    }
                },
                Ok(false) => return Ok(Stop { next, caught_up: false, settled: false }),
                // It has expired meanwhile: the next one is the first now.
                Err(error) if error.kind() == io::ErrorKind::NotFound && !self.has(found.name) => {}
                // What has been shown is good; whoever goes on from there is told.
                Err(_) if next != wanted => return Ok(Stop { next, caught_up: false, settled: false }),
                Err(error) => return Err(self.explained(found.name, &error)),
            }
        }
    }

    /// What to read next, or that there is nothing to read.
    fn find(&self, wanted: Wanted) -> io::Result<Result<Found, Stop>> {
        let state = self.state();
        if state.unusable == Some(Unusable::Closed) {
            return Err(io::Error::other("the shard could not be opened when the server started"));
        }
        let (last_index, settled) = (state.last_index, state.is_settled());
        let segments = &state.segments;
        let by_index = segments.partition_point(|segment| segment.name.first_index <= wanted.index);
        let by_arrival = segments.partition_point(|segment| segment.name.first_arrival_ms < wanted.arrival_ms);
        let at = by_index.max(by_arrival).saturating_sub(1);
        let Some(segment) = segments.get(at).filter(|_| wanted.index <= last_index) else {
            let next = Wanted { index: wanted.index.max(last_index + 1), ..wanted };
            return Ok(Err(Stop { next, caught_up: true, settled }));
        };
        let following = segments.get(at + 1).map(|segment| segment.name.first_index);
        if let Some(block) = segment.recent.block_of(wanted.index.max(segment.name.first_index)) {
            return Ok(Ok(Found::Block(block)));
        }
        let in_file = following.is_some() && matches!(self.home, Home::Disk(_));
        let extent = if in_file {
            Extent::InFile
        } else {
            let offset = marks::offset_before(&segment.marks, wanted.index, wanted.arrival_ms);
            Extent::Known { offset, end: segment.end }
        };
        Ok(Ok(Found::Segment(FoundSegment { name: segment.name, extent, following, last_index, settled })))
    }

    /// Whether the end of the segment was reached; `next` is moved behind what was taken.
    fn read_segment(&self, found: &FoundSegment, next: &mut Wanted, take: &mut impl Take) -> io::Result<bool> {
        let source = match &self.home {
            Home::Memory => Source::Memory(self, found.name),
            Home::Disk(disk) => Source::File(File::open(found.name.path(&disk.directory))?),
        };
        let (mut offset, end) = match (&found.extent, &self.home, &source) {
            (Extent::Known { offset, end }, ..) => (*offset, *end),
            (Extent::InFile, Home::Disk(disk), Source::File(file)) => {
                let marks = Marks::read(&found.name.marks_path(&disk.directory)).unwrap_or_default();
                let end = marks.sealed_length.map_or_else(|| file.metadata().map(|metadata| metadata.len()), Ok)?;
                (marks::offset_before(&marks.frames, next.index, next.arrival_ms), end)
            }
            (Extent::InFile, ..) => return Ok(true),
        };
        let (mut buffer, mut filled) = (Vec::new(), 0);
        let mut wanted_bytes = READ_BYTES;
        while offset < end {
            let left = usize::try_from(end - offset).unwrap_or(usize::MAX);
            let wanted = wanted_bytes.min(left);
            if buffer.len() < wanted {
                buffer.resize(wanted, 0);
            }
            filled += source.read(offset + filled as u64, &mut buffer[filled..wanted])?;
            let mut used = 0;
            wanted_bytes = loop {
                match frame::parse(&buffer[used..filled]) {
                    Parsed::Frame(record, length) => {
                        if !next.show(&record, take) {
                            return Ok(false);
                        }
                        used += length;
                    }
                    Parsed::Incomplete(_) if used == filled => break READ_BYTES,
                    Parsed::Incomplete(needed) if needed <= left - used => break needed.max(READ_BYTES),
                    Parsed::Incomplete(_) | Parsed::Corrupt => {
                        let message = format!("no whole record at offset {}", offset + used as u64);
                        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
                    }
                }
            };
            buffer.copy_within(used..filled, 0);
            filled -= used;
            offset += used as u64;
        }
        Ok(true)
    }

    fn has(&self, name: SegmentName) -> bool {
        self.state().segments.iter().any(|segment| segment.name == name)
    }

    fn explained(&self, name: SegmentName, error: &io::Error) -> io::Error {
        let Home::Disk(disk) = &self.home else { return io::Error::new(error.kind(), error.to_string()) };
        io::Error::new(error.kind(), format!("{}: {error}", name.path(&disk.directory).display()))
    }

    /// Copies bytes of a segment in memory; how many.
    fn copy(&self, name: SegmentName, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        let state = self.state();
        let at = state.segments.binary_search_by_key(&name, |segment| segment.name);
        let segment = at.ok().and_then(|at| state.segments.get(at)).ok_or(io::ErrorKind::NotFound)?;
        let bytes = usize::try_from(offset).ok().and_then(|offset| segment.bytes.get(offset..)).unwrap_or_default();
        if bytes.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let count = bytes.len().min(out.len());
        out[..count].copy_from_slice(&bytes[..count]);
        Ok(count)
    }
}

impl Wanted {
    /// Shows a record if it is wanted, and moves on behind it; `false` if it was refused.
    #[inline(always)]
    fn show(&mut self, record: &Frame<'_>, take: &mut impl Take) -> bool {
        if record.index < self.index || record.arrival_ms < self.arrival_ms {
            return true;
        }
        let taken = take.record(record);
        *self = Self { index: record.index + u64::from(taken), arrival_ms: 0 };
        taken
    }
}

/// Whether the end of the block was reached; `next` is moved behind what was taken.
fn read_block(block: &Block, next: &mut Wanted, take: &mut impl Take) -> bool {
    let first_arrival_ms = frame::head_of(&block.frames).map_or(0, |(_, arrival_ms)| arrival_ms);
    if next.index <= block.first_index && next.arrival_ms <= first_arrival_ms && take.block(block) {
        *next = Wanted { index: block.last_index + 1, arrival_ms: 0 };
        return true;
    }
    for record in frame::iterate(&block.frames) {
        if !next.show(&record, take) {
            return false;
        }
    }
    next.index = next.index.max(block.last_index + 1);
    true
}

impl Source<'_> {
    /// Reads bytes from `offset` on, at least one; how many.
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        let file = match self {
            Self::Memory(log, name) => return log.copy(*name, offset, out),
            Self::File(file) => file,
        };
        loop {
            match file.read_at(out, offset) {
                Ok(0) => {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("the file ends at {offset}")));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}
