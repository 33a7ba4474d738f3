use std::fmt;
use std::str::FromStr;

use md5::{Digest, Md5};

/// A point in the 128-bit space that decides a record's shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HashKey(u128);

/// A text that is not a hash key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a hash key: expected a decimal between 0 and 2^128-1")]
pub struct InvalidHashKey(pub String);

impl HashKey {
    /// The lowest key.
    pub const MIN: HashKey = HashKey(0);
    /// The highest key, 2^128-1.
    pub const MAX: HashKey = HashKey(u128::MAX);

    /// The key with this value.
    pub const fn new(value: u128) -> Self {
        HashKey(value)
    }

    /// The key's value.
    pub const fn value(self) -> u128 {
        self.0
    }

    /// Where Kinesis puts a record with this partition key: its MD5, read as a big-endian number
    /// (`PutRecord` in the Kinesis API reference).
    pub fn of_partition_key(partition_key: &str) -> Self {
        HashKey(u128::from_be_bytes(Md5::digest(partition_key).into()))
    }
}

impl FromStr for HashKey {
    type Err = InvalidHashKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(value) if is_decimal => Ok(HashKey(value)),
            _ => Err(InvalidHashKey(text.to_owned())),
        }
    }
}

impl fmt::Display for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The hash keys of one shard, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HashKeyRange {
    /// The first key.
    pub start: HashKey,
    /// The last key.
    pub end: HashKey,
}

impl HashKeyRange {
    /// The whole key space.
    pub const ALL: HashKeyRange = HashKeyRange { start: HashKey::MIN, end: HashKey::MAX };

    /// Whether a record with this key belongs here.
    pub fn contains(&self, key: HashKey) -> bool {
        self.start <= key && key <= self.end
    }

    /// The key space in `shards` even parts, as `CreateStream` cuts it: every part is
    /// floor(2^128 / shards) wide, the last one takes what is left. No parts for zero.
    pub fn split(shards: u32) -> Vec<HashKeyRange> {
        if shards == 0 {
            return Vec::new();
        }
        if shards == 1 {
            return vec![HashKeyRange::ALL];
        }
        let parts = u128::from(shards);
        // 2^128 itself does not fit: 2^128 / n = (2^128 - 1) / n, and one more where n divides it.
        let width = u128::MAX / parts + u128::from(u128::MAX % parts == parts - 1);
        (0..parts)
            .map(|part| HashKeyRange {
                start: HashKey(part * width),
                end: if part == parts - 1 { HashKey::MAX } else { HashKey((part + 1) * width - 1) },
            })
            .collect()
    }
}

impl fmt::Display for HashKeyRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..={}", self.start, self.end)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_partition_key_is_hashed_by_md5_big_endian() {
        // md5("a") = 0cc175b9c0f1b6a831c399e269772661
        assert_eq!(HashKey::of_partition_key("a").value(), 0x0cc1_75b9_c0f1_b6a8_31c3_99e2_6977_2661);
    }

    #[test]
    fn three_shards_are_cut_where_aws_cuts_them() {
        let ranges: Vec<String> = HashKeyRange::split(3).iter().map(ToString::to_string).collect();
        assert_eq!(
            ranges,
            [
                "0..=113427455640312821154458202477256070484",
                "113427455640312821154458202477256070485..=226854911280625642308916404954512140969",
                "226854911280625642308916404954512140970..=340282366920938463463374607431768211455",
            ]
        );
    }

    #[test]
    fn signs_and_numbers_beyond_128_bits_are_refused() {
        for text in ["", "+1", "-1", "340282366920938463463374607431768211456"] {
            assert!(text.parse::<HashKey>().is_err(), "{text}");
        }
        assert_eq!(HashKey::MAX.to_string().parse::<HashKey>().unwrap(), HashKey::MAX);
    }

    proptest! {
        #[test]
        fn every_key_is_in_exactly_one_part(shards in 1u32..200, key: u128) {
            let parts = HashKeyRange::split(shards);
            prop_assert_eq!(parts.len(), shards as usize);
            let owners = parts.iter().filter(|part| part.contains(HashKey::new(key))).count();
            prop_assert_eq!(owners, 1);
        }
    }
}
