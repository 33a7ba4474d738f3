//! The parts of items, as bytes.

use super::{BREAK, INDEFINITE, Major};

/// Appends items, or their beginnings and ends.
pub trait Write {
    /// A whole number that is not negative.
    fn unsigned(&mut self, number: u64);
    /// A string of characters.
    fn text(&mut self, text: &str);
    /// A string of bytes.
    fn bytes(&mut self, bytes: &[u8]);
    /// A time in milliseconds.
    fn time(&mut self, ms: u64);
    /// The beginning of a list without its length.
    fn begin_list(&mut self);
    /// The beginning of a map without its length.
    fn begin_map(&mut self);
    /// The end of a list or map.
    fn end(&mut self);
}

/// The first byte of an item and a number in as few bytes as it needs.
#[inline(always)]
pub(super) fn head(out: &mut Vec<u8>, major: Major, argument: u64) {
    let major = (major as u8) << 5;
    let bytes = argument.to_be_bytes();
    match argument {
        0..24 => out.push(major | bytes[7]),
        24..0x100 => out.extend_from_slice(&[major | 24, bytes[7]]),
        0x100..0x1_0000 => out.extend_from_slice(&[major | 25, bytes[6], bytes[7]]),
        0x1_0000..0x1_0000_0000 => {
            out.push(major | 26);
            out.extend_from_slice(&bytes[4..]);
        }
        _ => {
            out.push(major | 27);
            out.extend_from_slice(&bytes);
        }
    }
}

impl Write for Vec<u8> {
    #[inline(always)]
    fn unsigned(&mut self, number: u64) {
        head(self, Major::Unsigned, number);
    }

    #[inline(always)]
    fn text(&mut self, text: &str) {
        head(self, Major::Text, text.len() as u64);
        self.extend_from_slice(text.as_bytes());
    }

    #[inline(always)]
    fn bytes(&mut self, bytes: &[u8]) {
        head(self, Major::Bytes, bytes.len() as u64);
        self.extend_from_slice(bytes);
    }

    #[inline(always)]
    fn time(&mut self, ms: u64) {
        head(self, Major::Tag, 1);
        self.unsigned(ms);
    }

    fn begin_list(&mut self) {
        self.push((Major::List as u8) << 5 | INDEFINITE);
    }

    fn begin_map(&mut self) {
        self.push((Major::Map as u8) << 5 | INDEFINITE);
    }

    fn end(&mut self) {
        self.push(BREAK);
    }
}
