//! Sequence numbers in the form of AWS.
//!
//! A sequence number is a 186-bit integer, written in decimal (56 digits, `49…`). From the highest bits down it holds
//! a version (2), the second at which the shard was opened, the shard's number modulo 16, the record's index in the
//! shard, a zero byte, the second at which the record arrived, the shard's number, and the version again. So within a
//! shard it grows with the index, and a child, opened in a later second than its parents, starts above them.

use std::cmp::Ordering;
use std::fmt;

/// The index in the sequence number at which a closed shard ends.
const LAST_INDEX: u64 = i64::MAX as u64;
/// AWS takes no number of a shard that is opened later (year 2477; seen in its answers).
const END_OF_TIME_SECS: u64 = 16_025_175_000;
/// The largest power of ten in 32 bits.
const CHUNK: u64 = 1_000_000_000;
const CHUNK_DIGITS: usize = 9;
pub(super) const DIGITS: usize = 56;

/// The fields of a sequence number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sequence {
    /// The second at which the shard was opened, or later; 36 bits.
    pub(crate) opened_secs: u64,
    /// The shard's number; 31 bits.
    pub(crate) shard: u32,
    /// The record's index in the shard, from 1; 0 is the start of the shard.
    pub(crate) index: u64,
    /// The second at which the record arrived; 36 bits.
    pub(crate) arrival_secs: u64,
}

impl Sequence {
    /// The number at which a shard starts, below all of its records.
    pub(crate) fn start(opened_secs: u64, shard: u32) -> Self {
        Self { opened_secs, shard, index: 0, arrival_secs: opened_secs }
    }

    /// The number at which a closed shard ends, above all of its records.
    pub(crate) fn end(opened_secs: u64, shard: u32, closed_secs: u64) -> Self {
        Self { opened_secs, shard, index: LAST_INDEX, arrival_secs: closed_secs }
    }

    /// The 192-bit integer, lowest limb first.
    fn limbs(self) -> [u64; 3] {
        let shard = u64::from(self.shard);
        [
            2 | shard << 4 | self.arrival_secs << 36,
            self.arrival_secs >> 28 & 0xff | self.index << 16,
            self.index >> 48 | (shard & 0xf) << 16 | self.opened_secs << 20 | 2 << 56,
        ]
    }

    /// The decimal digits; always 56, since the highest bit is set.
    pub(crate) fn digits(self) -> [u8; DIGITS] {
        // In 32 bits each, highest first: a division of 64 bits by a constant is a multiplication.
        let [low, middle, high] = self.limbs();
        let mut words = [high >> 32, high, middle >> 32, middle, low >> 32, low].map(|word| word as u32);
        let mut digits = [b'0'; DIGITS];
        let mut end = DIGITS;
        while end > 0 {
            let mut remainder = 0u64;
            for word in &mut words {
                let value = remainder << 32 | u64::from(*word);
                // The quotient fits: the remainder of the word above is less than the divisor.
                *word = (value / CHUNK) as u32;
                remainder = value % CHUNK;
            }
            let mut chunk = remainder as u32;
            let start = end.saturating_sub(CHUNK_DIGITS);
            for digit in digits[start..end].iter_mut().rev() {
                *digit = b'0' + (chunk % 10) as u8;
                chunk /= 10;
            }
            end = start;
        }
        digits
    }

    /// Reads a number of this form; `None` for any other.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() != DIGITS {
            return None;
        }
        let mut limbs = [0u64; 3];
        for byte in text.bytes() {
            let mut carry = u128::from(byte.checked_sub(b'0').filter(|digit| *digit <= 9)?);
            for limb in &mut limbs {
                let value = u128::from(*limb) * 10 + carry;
                *limb = value as u64;
                carry = value >> 64;
            }
        }
        let [low, middle, high] = limbs;
        let sequence = Self {
            opened_secs: high >> 20 & 0xf_ffff_ffff,
            shard: (low >> 4) as u32,
            index: middle >> 16 | high << 48,
            arrival_secs: low >> 36 | (middle & 0xff) << 28,
        };
        // Whatever else is in the bits, such as another version, does not come out the same.
        let possible = sequence.index <= LAST_INDEX && sequence.opened_secs < END_OF_TIME_SECS;
        (sequence.limbs() == limbs && possible).then_some(sequence)
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&String::from_utf8_lossy(&self.digits()))
    }
}

impl PartialOrd for Sequence {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Sequence {
    fn cmp(&self, other: &Self) -> Ordering {
        self.limbs().iter().rev().cmp(other.limbs().iter().rev())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_number_seen_at_aws_is_read_and_written_alike() {
        let text = "49629634598228923384296766558693603250810567226740965378";
        let sequence = Sequence::parse(text).unwrap();
        // May 2022.
        assert_eq!((sequence.shard, sequence.opened_secs / 1_000_000), (0, 1652));
        assert_eq!(sequence.to_string(), text);
        let (nines, long) = ("9".repeat(56), "4".repeat(129));
        for other in ["", "0", "1", "49", &nines, &long, &text.replace('8', "7"), &text.replace('8', "x")] {
            assert_eq!(Sequence::parse(other), None, "{other}");
        }
    }

    #[test]
    fn every_field_survives_and_orders_by_its_place() {
        let small = Sequence { opened_secs: 1_600_000_000, shard: 17, index: 1, arrival_secs: 1_700_000_000 };
        let later = [
            Sequence { arrival_secs: small.arrival_secs + 1, ..small },
            Sequence { index: 2, arrival_secs: 0, ..small },
            Sequence { index: 1 << 50, arrival_secs: 0, ..small },
            Sequence::end(small.opened_secs, small.shard, 0),
            Sequence::start(small.opened_secs + 1, 0),
            Sequence {
                opened_secs: END_OF_TIME_SECS - 1,
                shard: 0x7fff_ffff,
                index: LAST_INDEX,
                arrival_secs: (1 << 36) - 1,
            },
        ];
        let beyond = Sequence { opened_secs: END_OF_TIME_SECS, ..small };
        assert_eq!(Sequence::parse(&beyond.to_string()), None);
        assert!(Sequence::start(small.opened_secs, small.shard) < small);
        let mut previous = small;
        for sequence in later {
            assert!(previous < sequence, "{previous} < {sequence}");
            assert!(previous.to_string() < sequence.to_string());
            assert_eq!(Sequence::parse(&sequence.to_string()), Some(sequence));
            previous = sequence;
        }
    }
}
