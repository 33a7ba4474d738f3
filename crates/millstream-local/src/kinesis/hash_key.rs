//! Hash keys: the 128-bit space that the shards of a stream divide.

use std::sync::atomic::{AtomicU64, Ordering};

use md5::{Digest, Md5};

use super::md5_lanes::{self, LANES, MAX_BYTES};

/// The hash key of a partition key: its MD5 as an integer.
fn of_partition_key(key: &str) -> u128 {
    u128::from_be_bytes(Md5::digest(key.as_bytes()).into())
}

/// The hash keys of many partition keys, in their order.
pub(crate) fn of_partition_keys(keys: &[&str]) -> Vec<u128> {
    let mut hash_keys = Vec::with_capacity(keys.len());
    for keys in keys.chunks(LANES) {
        if keys.len() < LANES / 2 || keys.iter().any(|key| key.len() > MAX_BYTES) {
            hash_keys.extend(keys.iter().map(|key| of_partition_key(key)));
            continue;
        }
        let mut texts = [&[][..]; LANES];
        for (text, key) in texts.iter_mut().zip(keys) {
            *text = key.as_bytes();
        }
        hash_keys.extend(md5_lanes::digests(texts).map(u128::from_be_bytes).iter().take(keys.len()));
    }
    hash_keys
}

/// A hash key for a record that goes to any shard. One after another, they divide the space evenly.
pub(crate) fn next_even() -> u128 {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    /// 2^128 divided by the golden ratio: its multiples are spread as evenly as can be (Weyl's sequence).
    const STEP: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
    u128::from(COUNT.fetch_add(1, Ordering::Relaxed)).wrapping_mul(STEP)
}

/// The ranges of `count` shards that divide the space as evenly as AWS does: the last takes the rest.
pub(crate) fn even_ranges(count: u32) -> impl Iterator<Item = (u128, u128)> {
    let count = u128::from(count.max(1));
    // Floor of 2^128 / count, without the 129th bit.
    let width = if count == 1 { u128::MAX } else { u128::MAX / count + u128::from(u128::MAX % count == count - 1) };
    (0..count).map(move |at| {
        let start = if count == 1 { 0 } else { width * at };
        (start, if at + 1 == count { u128::MAX } else { start + width - 1 })
    })
}

/// Hash keys in metadata are decimal strings: JSON numbers of 128 bits are not for every reader.
pub(crate) mod decimal {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(value: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_divide_the_whole_space_as_aws_does() {
        let two: Vec<_> = even_ranges(2).collect();
        assert_eq!(two, [(0, (1 << 127) - 1), (1 << 127, u128::MAX)]);
        // From a stream of three shards at AWS.
        let three: Vec<_> = even_ranges(3).map(|(start, end)| format!("{start}-{end}")).collect();
        assert_eq!(
            three,
            [
                "0-113427455640312821154458202477256070484",
                "113427455640312821154458202477256070485-226854911280625642308916404954512140969",
                "226854911280625642308916404954512140970-340282366920938463463374607431768211455",
            ]
        );
        for count in [1, 2, 3, 4, 5, 7, 16, 255, 1000] {
            let ranges: Vec<_> = even_ranges(count).collect();
            assert_eq!(ranges.len(), count as usize);
            assert_eq!((ranges[0].0, ranges[ranges.len() - 1].1), (0, u128::MAX));
            assert!(ranges.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0), "{count}");
        }
    }

    #[test]
    fn many_partition_keys_hash_as_each_does() {
        let text: String = ('!'..='~').cycle().take(300).collect();
        // Of all lengths around those of a block, alone and among others.
        let keys: Vec<&str> = (0..=130).flat_map(|length| [&text[length..2 * length], &text[..length], "é"]).collect();
        for keys in [&keys[..], &keys[..1], &keys[5..10], &keys[7..130], &[]] {
            let each: Vec<u128> = keys.iter().map(|key| of_partition_key(key)).collect();
            assert_eq!(of_partition_keys(keys), each);
        }
    }

    #[test]
    fn a_partition_key_hashes_to_its_md5() {
        assert_eq!(of_partition_key(""), 0xd41d_8cd9_8f00_b204_e980_0998_ecf8_427e);
        assert_eq!(of_partition_key("abc"), 0x9001_5098_3cd2_4fb0_d696_3f7d_28e1_7f72);
    }
}
