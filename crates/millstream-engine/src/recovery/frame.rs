//! The bytes of a checkpoint file: a header, then frames of `mark, length, CRC-32 of the payload, payload`. Pure.
//!
//! Numbers are 32 bits, little-endian. The mark is there to find frames again behind damage.

/// The format's version, to be raised with every change that an older release can't read.
pub(super) const VERSION: u32 = 1;

const MAGIC: &[u8; 8] = b"MSTRMCKP";
const HEADER: usize = 12;
const MARK: &[u8; 4] = b"MSFR";
const FRAME_HEADER: usize = 12;

/// A new file's first bytes.
pub(super) fn header() -> Vec<u8> {
    [MAGIC.as_slice(), &VERSION.to_le_bytes()].concat()
}

/// Appends a frame.
pub(super) fn push(bytes: &mut Vec<u8>, payload: &[u8]) {
    // Larger payloads than 4 GiB are refused by the log before they come here.
    bytes.extend_from_slice(MARK);
    bytes.extend_from_slice(&u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend_from_slice(&crc32fast::hash(payload).to_le_bytes());
    bytes.extend_from_slice(payload);
}

/// What is in a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frames<'a> {
    /// The payloads of the whole frames.
    pub(super) payloads: Vec<&'a [u8]>,
    /// Where they end: what is behind, if anything, was being written when the program was killed.
    pub(super) end: usize,
}

/// Why there is nothing to go on from.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// No header of a checkpoint file.
    NotACheckpoint,
    /// Another format.
    Version(u32),
    /// The frame here is not whole, though others follow.
    Damaged(usize),
}

/// Reads a file. A last frame that is not whole is left out.
pub(super) fn read(bytes: &[u8]) -> Result<Frames<'_>, Unreadable> {
    let version = bytes.strip_prefix(MAGIC).and_then(number).ok_or(Unreadable::NotACheckpoint)?;
    if version != VERSION {
        return Err(Unreadable::Version(version));
    }
    let (mut payloads, mut end) = (Vec::new(), HEADER);
    while let Some(payload) = frame_at(bytes, end) {
        payloads.push(payload);
        end += FRAME_HEADER + payload.len();
    }
    // A frame that was torn has nothing behind it, for the next one is written only after it is safe.
    let whole_behind = (end + 1..bytes.len()).any(|at| frame_at(bytes, at).is_some());
    if whole_behind { Err(Unreadable::Damaged(end)) } else { Ok(Frames { payloads, end }) }
}

/// The payload of the frame that begins at `at`, if it is whole.
fn frame_at(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let rest = bytes.get(at..)?.strip_prefix(MARK)?;
    let length = usize::try_from(number(rest)?).ok()?;
    let crc = number(rest.get(4..)?)?;
    let payload = rest.get(8..)?.get(..length)?;
    (crc32fast::hash(payload) == crc).then_some(payload)
}

fn number(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.first_chunk()?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const PAYLOADS: [&[u8]; 3] = [b"first", b"the second one", b"3"];

    fn file() -> Vec<u8> {
        let mut bytes = header();
        PAYLOADS.iter().for_each(|payload| push(&mut bytes, payload));
        bytes
    }

    /// Where each frame ends.
    fn ends() -> Vec<usize> {
        let lengths = PAYLOADS.iter().map(|payload| FRAME_HEADER + payload.len());
        std::iter::once(0)
            .chain(lengths)
            .scan(HEADER, |end, length| Some(std::mem::replace(end, *end + length) + length))
            .collect()
    }

    #[test]
    fn a_file_cut_off_anywhere_has_the_frames_that_are_whole() {
        let bytes = file();
        for cut in HEADER..=bytes.len() {
            let whole = ends().iter().filter(|end| **end <= cut).count() - 1;
            let frames = read(&bytes[..cut]).unwrap();
            assert_eq!(frames.payloads, PAYLOADS[..whole], "cut at {cut}");
            assert_eq!(frames.end, ends()[whole], "cut at {cut}");
        }
        for cut in 0..HEADER {
            assert_eq!(read(&bytes[..cut]), Err(Unreadable::NotACheckpoint), "cut at {cut}");
        }
    }

    #[test]
    fn a_byte_changed_anywhere_is_seen_and_only_the_last_frame_may_be_torn() {
        let last = ends()[2];
        for at in HEADER..file().len() {
            let mut bytes = file();
            bytes[at] ^= 0x40;
            match read(&bytes) {
                Ok(frames) => assert!(at >= last && frames.payloads == PAYLOADS[..2], "changed at {at}"),
                Err(error) => {
                    assert!(at < last && matches!(error, Unreadable::Damaged(_)), "changed at {at}: {error:?}")
                }
            }
        }
    }

    #[test]
    fn other_versions_and_other_files_are_told_apart() {
        let mut newer = file();
        newer[8] = 9;
        assert_eq!(read(&newer), Err(Unreadable::Version(9)));
        assert_eq!(read(b"something else entirely"), Err(Unreadable::NotACheckpoint));
    }
}
