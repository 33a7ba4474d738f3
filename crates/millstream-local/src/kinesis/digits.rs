//! The digits of sequence numbers that follow each other, which are most of those that are written.

use super::sequence::{DIGITS, Sequence};

/// Eight digits, one a byte, the first in the highest.
type Word = u64;
/// What a number grows by from one record of a shard to the next: 2^80, in words, lowest first.
const STEP: [Word; 4] = [0x0704_0700_0601_0706, 0x0906_0104_0602_0901, 0x0200_0809_0205_0801, 1];
const WORDS: usize = DIGITS / 8;

/// Writes sequence numbers of one shard.
#[derive(Debug, Default)]
pub(crate) struct Digits {
    last: Option<(Sequence, [u8; DIGITS])>,
}

impl Digits {
    /// The digits of a number; quick if it is that of the record after the last one.
    pub(crate) fn of(&mut self, sequence: Sequence) -> &str {
        let digits = match self.last.take() {
            Some((last, mut digits)) if (Sequence { index: last.index + 1, ..last }) == sequence => {
                add_step(&mut digits);
                digits
            }
            _ => sequence.digits(),
        };
        let (_, digits) = self.last.insert((sequence, digits));
        str::from_utf8(digits).unwrap_or_default()
    }
}

/// Adds eight digits at a time: with 246 more in every byte, a byte above nine carries into the next by itself.
fn add_step(digits: &mut [u8; DIGITS]) {
    const ZEROS: Word = 0x3030_3030_3030_3030;
    const MORE: Word = 0xf6f6_f6f6_f6f6_f6f6;
    const TOP: Word = 0x8080_8080_8080_8080;
    let (words, _) = digits.as_chunks_mut::<8>();
    let mut carry = false;
    for (nth, bytes) in words.iter_mut().rev().enumerate().take(WORDS) {
        let step = STEP.get(nth).copied().unwrap_or_default();
        if step == 0 && !carry {
            break;
        }
        let word = u64::from_be_bytes(*bytes) - ZEROS;
        // No digit of a step and its carry comes to ten, so this does not overflow.
        let (sum, overflow) = word.overflowing_add(step + MORE + u64::from(carry));
        carry = overflow;
        // Bytes that did not carry still have what was added.
        let kept = (sum & TOP) >> 7;
        *bytes = (sum - kept * 0xf6 + ZEROS).to_be_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_a_row_are_the_same_as_each_by_itself() {
        let mut digits = Digits::default();
        let mut sequence = Sequence { opened_secs: 1_600_000_000, shard: 17, index: 0, arrival_secs: 1_700_000_000 };
        // Further records, some of them in a later second or after a gap, and across carries of all lengths.
        for step in 0..5000_u64 {
            assert_eq!(digits.of(sequence), sequence.to_string());
            sequence.index += if step % 7 == 6 { 1 << (step % 50) } else { 1 };
            sequence.arrival_secs += u64::from(step % 11 == 10);
        }
    }
}
