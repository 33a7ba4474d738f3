//! A record in a segment: `length u32 | crc32 u32 | index u64 | arrival ms u64 | key length u16 | key | data`, little
//! endian. The length and the checksum are those of everything after them.

/// Bytes before the payload.
const HEADER: usize = 8;
/// Bytes of the payload before the partition key.
const FIXED: usize = 18;
/// No record is larger: 10 MiB of data and 256 characters of key.
const MAX_PAYLOAD: usize = 11 * 1024 * 1024;

/// No sequence number has a higher index.
const MAX_INDEX: u64 = i64::MAX as u64;

/// One record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) index: u64,
    pub(crate) arrival_ms: u64,
    pub(crate) partition_key: &'a str,
    pub(crate) data: &'a [u8],
}

/// What stands at the head of some bytes of a log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed<'a> {
    /// A record, and the length of its frame.
    Frame(Frame<'a>, usize),
    /// The bytes end before the frame does; it needs so many in all.
    Incomplete(usize),
    /// No frame.
    Corrupt,
}

impl Frame<'_> {
    /// Appends the frame to a buffer.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        // Keys are at most 1 KiB and payloads at most MAX_PAYLOAD: validated when a record is put.
        #[expect(clippy::cast_possible_truncation, reason = "validated lengths")]
        let (key_len, len) =
            (self.partition_key.len() as u16, (FIXED + self.partition_key.len() + self.data.len()) as u32);
        out.extend_from_slice(&len.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&self.index.to_le_bytes());
        out.extend_from_slice(&self.arrival_ms.to_le_bytes());
        out.extend_from_slice(&key_len.to_le_bytes());
        out.extend_from_slice(self.partition_key.as_bytes());
        out.extend_from_slice(self.data);
        let sum = crc32fast::hash(&out[start + HEADER..]);
        out[start + 4..start + HEADER].copy_from_slice(&sum.to_le_bytes());
    }
}

/// Bytes of the frame of a record.
pub(crate) fn length(partition_key: &str, data: &[u8]) -> usize {
    HEADER + FIXED + partition_key.len() + data.len()
}

/// Index and arrival in the frame at the head of `bytes`, if there is one; nothing else is checked.
pub(crate) fn head_of(bytes: &[u8]) -> Option<(u64, u64)> {
    let (index, rest) = bytes.get(HEADER..)?.split_first_chunk::<8>()?;
    Some((u64::from_le_bytes(*index), u64::from_le_bytes(*rest.first_chunk()?)))
}

/// Reads the frame at the head of `bytes`.
pub(crate) fn parse(bytes: &[u8]) -> Parsed<'_> {
    let Some((len, rest)) = bytes.split_first_chunk::<4>() else { return Parsed::Incomplete(HEADER) };
    let len = u32::from_le_bytes(*len) as usize;
    if !(FIXED..=MAX_PAYLOAD).contains(&len) {
        return Parsed::Corrupt;
    }
    let Some((sum, rest)) = rest.split_first_chunk::<4>() else { return Parsed::Incomplete(HEADER + len) };
    let Some(payload) = rest.get(..len) else { return Parsed::Incomplete(HEADER + len) };
    if crc32fast::hash(payload) != u32::from_le_bytes(*sum) {
        return Parsed::Corrupt;
    }
    match fields(payload) {
        Some(frame) => Parsed::Frame(frame, HEADER + len),
        None => Parsed::Corrupt,
    }
}

/// The frames in bytes that have not been elsewhere since [`Frame::write`]; no checksum is looked at.
pub(crate) fn iterate(mut bytes: &[u8]) -> impl Iterator<Item = Frame<'_>> {
    std::iter::from_fn(move || {
        let (len, rest) = bytes.split_first_chunk::<4>()?;
        let payload = rest.get(4..)?.get(..u32::from_le_bytes(*len) as usize)?;
        bytes = rest.get(4 + payload.len()..)?;
        fields(payload)
    })
}

fn fields(payload: &[u8]) -> Option<Frame<'_>> {
    let (index, rest) = payload.split_first_chunk::<8>()?;
    let (arrival_ms, rest) = rest.split_first_chunk::<8>()?;
    let (key_len, rest) = rest.split_first_chunk::<2>()?;
    let (key, data) = rest.split_at_checked(u16::from_le_bytes(*key_len).into())?;
    let index = u64::from_le_bytes(*index);
    if index > MAX_INDEX {
        return None;
    }
    Some(Frame {
        index,
        arrival_ms: u64::from_le_bytes(*arrival_ms),
        partition_key: std::str::from_utf8(key).ok()?,
        data,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_an_index_beyond_all_sequence_numbers_is_no_frame() {
        for (index, is_frame) in [(MAX_INDEX, true), (MAX_INDEX + 1, false), (u64::MAX, false)] {
            let mut bytes = Vec::new();
            Frame { index, arrival_ms: 0, partition_key: "", data: b"" }.write(&mut bytes);
            assert_eq!(matches!(parse(&bytes), Parsed::Frame(..)), is_frame, "{index}");
        }
    }

    #[test]
    fn every_cut_is_incomplete_and_every_flipped_bit_is_found() {
        let frame = Frame { index: 7, arrival_ms: 1_600_000_000_123, partition_key: "schlüssel", data: b"some data" };
        let mut bytes = Vec::new();
        frame.write(&mut bytes);
        assert_eq!(parse(&bytes), Parsed::Frame(frame, bytes.len()));
        let twice = [&bytes[..], &bytes].concat();
        assert_eq!(iterate(&twice).collect::<Vec<_>>(), [frame, frame]);
        for cut in 0..bytes.len() {
            assert!(
                matches!(parse(&bytes[..cut]), Parsed::Incomplete(needed) if needed <= bytes.len()),
                "cut at {cut}"
            );
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(!matches!(parse(&flipped), Parsed::Frame(..)), "bit {bit}");
        }
    }
}
