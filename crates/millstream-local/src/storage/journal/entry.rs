//! What stands in the journal: per commit one group, of an entry for each segment that was written.
//!
//! A group is `magic u32 | crc32 u32 | length u32 | epoch u64 | entries`, little endian; checksum and length are those
//! of everything after the length. An entry is `id length u8 | stream id | shard u32 | first index u64 | first arrival
//! ms u64 | offset u64 | length u32 | bytes`: the bytes belong at that offset of the segment of that name. One whose id
//! is empty fills a group up to the end of a block, and belongs nowhere.

use crate::storage::log::LogId;
use crate::storage::segment::SegmentName;

const MAGIC: u32 = u32::from_le_bytes(*b"MSJ2");
/// Bytes before what the checksum covers.
const HEADER: usize = 12;
/// Bytes of the epoch, which follows the header.
const EPOCH: usize = 8;
/// Bytes of an entry besides its id and its bytes, the last of which tell how many bytes there are.
const ENTRY: usize = 33;
const ENTRY_LENGTH: usize = 29;

/// Bytes of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::storage) struct Entry<'a> {
    pub(in crate::storage) id: LogId,
    pub(in crate::storage) name: SegmentName,
    pub(in crate::storage) offset: u64,
    pub(in crate::storage) bytes: &'a [u8],
}

/// How long an entry will be.
pub(in crate::storage) fn length(id: &LogId, bytes: &[u8]) -> usize {
    ENTRY + id.stream_id.len() + bytes.len()
}

/// How long a group will be at most, with entries of so many bytes.
pub(in crate::storage) fn length_of_group(entries: usize, alignment: usize) -> usize {
    HEADER + EPOCH + entries + ENTRY + alignment
}

/// Begins a group.
pub(in crate::storage) fn begin(out: &mut Vec<u8>, epoch: u64) {
    out.extend_from_slice(&MAGIC.to_le_bytes());
    out.extend_from_slice(&[0; 8]);
    out.extend_from_slice(&epoch.to_le_bytes());
}

/// Adds an entry to a group.
pub(in crate::storage) fn push(out: &mut Vec<u8>, id: &LogId, name: SegmentName, offset: u64, bytes: &[u8]) {
    // Ids are 24 characters, and a commit stays far below 4 GiB.
    #[expect(clippy::cast_possible_truncation, reason = "bounded by the committer")]
    let (id_length, length) = (id.stream_id.len() as u8, bytes.len() as u32);
    out.push(id_length);
    out.extend_from_slice(id.stream_id.as_bytes());
    out.extend_from_slice(&id.shard.to_le_bytes());
    out.extend_from_slice(&name.first_index.to_le_bytes());
    out.extend_from_slice(&name.first_arrival_ms.to_le_bytes());
    out.extend_from_slice(&offset.to_le_bytes());
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(bytes);
}

/// Fills a group that begins at `start` up to a multiple of `alignment` bytes.
pub(in crate::storage) fn pad(out: &mut Vec<u8>, start: usize, alignment: usize) {
    let room = (out.len() - start).next_multiple_of(alignment) - (out.len() - start);
    if room == 0 {
        return;
    }
    let (at, room) = (out.len(), if room < ENTRY { room + alignment } else { room });
    out.resize(at + room, 0);
    #[expect(clippy::cast_possible_truncation, reason = "less than two blocks")]
    let length = (room - ENTRY) as u32;
    out[at + ENTRY_LENGTH..at + ENTRY].copy_from_slice(&length.to_le_bytes());
}

/// Ends a group.
pub(in crate::storage) fn finish(out: &mut [u8]) {
    let Some((header, body)) = out.split_at_mut_checked(HEADER) else { return };
    #[expect(clippy::cast_possible_truncation, reason = "bounded by the committer")]
    let length = body.len() as u32;
    header[4..8].copy_from_slice(&crc32fast::hash(body).to_le_bytes());
    header[8..].copy_from_slice(&length.to_le_bytes());
}

/// The group at the head of `bytes`: its epoch, its entries and its length. `None` if there is no whole one.
pub(in crate::storage) fn parse(bytes: &[u8]) -> Option<(u64, Vec<Entry<'_>>, usize)> {
    let mut rest = bytes;
    if number(take(&mut rest)?) != MAGIC {
        return None;
    }
    let sum = number(take(&mut rest)?);
    let length = number(take(&mut rest)?) as usize;
    let mut body = rest.get(..length)?;
    if crc32fast::hash(body) != sum {
        return None;
    }
    let epoch = long(take(&mut body)?);
    let mut entries = Vec::new();
    while !body.is_empty() {
        entries.extend(Some(parse_entry(&mut body)?).filter(|entry| !entry.id.stream_id.is_empty()));
    }
    Some((epoch, entries, HEADER + length))
}

fn parse_entry<'a>(body: &mut &'a [u8]) -> Option<Entry<'a>> {
    let [id_length] = *take::<1>(body)?;
    let (id, rest) = body.split_at_checked(id_length.into())?;
    *body = rest;
    let stream_id = std::str::from_utf8(id).ok()?.into();
    let shard = number(take(body)?);
    let name = SegmentName { first_index: long(take(body)?), first_arrival_ms: long(take(body)?) };
    let offset = long(take(body)?);
    let length = number(take(body)?) as usize;
    let (bytes, rest) = body.split_at_checked(length)?;
    *body = rest;
    Some(Entry { id: LogId { stream_id, shard }, name, offset, bytes })
}

fn take<'a, const N: usize>(bytes: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(head)
}

fn number(bytes: &[u8; 4]) -> u32 {
    u32::from_le_bytes(*bytes)
}

fn long(bytes: &[u8; 8]) -> u64 {
    u64::from_le_bytes(*bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(shard: u32, bytes: &[u8]) -> Entry<'_> {
        Entry {
            id: LogId { stream_id: "01234567890123456789-abc".into(), shard },
            name: SegmentName { first_index: 7, first_arrival_ms: 1_600_000_000_000 },
            offset: 1 << 40,
            bytes,
        }
    }

    #[test]
    fn a_group_fills_whole_blocks_and_is_as_long_as_foretold() {
        for length in 0..200 {
            let (id, data) = (entry(3, b"").id, vec![7; length]);
            let mut bytes = vec![0; 5];
            begin(&mut bytes, 9);
            push(&mut bytes, &id, entry(3, b"").name, 1 << 40, &data);
            assert_eq!(bytes.len() - 5, HEADER + EPOCH + super::length(&id, &data));
            pad(&mut bytes, 5, 64);
            finish(&mut bytes[5..]);
            let group = bytes.len() - 5;
            assert!(
                group.is_multiple_of(64) && group <= length_of_group(super::length(&id, &data), 64),
                "{length}: {group}"
            );
            assert_eq!(parse(&bytes[5..]), Some((9, vec![entry(3, &data)], group)));
        }
    }

    #[test]
    fn only_a_whole_group_is_read() {
        let entries = [entry(3, &b"some frames"[..]), entry(4, b"")];
        let mut bytes = Vec::new();
        begin(&mut bytes, 9);
        for Entry { id, name, offset, bytes: data } in &entries {
            push(&mut bytes, id, *name, *offset, data);
        }
        finish(&mut bytes);
        let whole = bytes.len();
        bytes.extend_from_slice(b"what was there before");
        assert_eq!(parse(&bytes), Some((9, entries.to_vec(), whole)));
        for cut in 0..whole {
            assert_eq!(parse(&bytes[..cut]), None, "cut at {cut}");
        }
        for bit in 0..whole * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(parse(&flipped), None, "bit {bit}");
        }
    }
}
