//! Opaque strings handed to clients: shard iterators and page tokens.
//!
//! The text is JSON under a checksum in base64, padded to the lengths of AWS's iterators: 8 bytes of version, then a
//! multiple of 16. It needs nothing that the server remembers, so it survives a restart.

use serde::Serialize;
use serde::de::DeserializeOwned;

const VERSION: [u8; 8] = [0, 0, 0, 0, 0, 0, 0, 1];
const SHORTEST: usize = 152;

/// Seals a value for a client to hand back.
pub(crate) fn seal(value: &impl Serialize) -> String {
    // The sealed types are plain structs of strings and numbers, which always serialise.
    let mut json = serde_json::to_vec(value).unwrap_or_default();
    let used = VERSION.len() + 4 + json.len();
    let padded = SHORTEST.max(SHORTEST + used.saturating_sub(SHORTEST).next_multiple_of(16));
    // JSON may end in spaces.
    json.resize(padded - VERSION.len() - 4, b' ');
    let mut bytes = Vec::with_capacity(padded);
    bytes.extend_from_slice(&VERSION);
    bytes.extend_from_slice(&checksum(&json));
    bytes.extend_from_slice(&json);
    base64_simd::STANDARD.encode_to_string(&bytes)
}

/// Opens what [`seal`] made; `None` for anything else.
pub(crate) fn open<T: DeserializeOwned>(text: &str) -> Option<T> {
    let bytes = base64_simd::STANDARD.decode_to_vec(text).ok()?;
    let (sum, json) = bytes.strip_prefix(&VERSION)?.split_first_chunk::<4>()?;
    if *sum != checksum(json) {
        return None;
    }
    serde_json::from_slice(json).ok()
}

fn checksum(json: &[u8]) -> [u8; 4] {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(b"millstream-local");
    hasher.update(json);
    hasher.finalize().to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_sealed_opens() {
        for length in [0, 1, 130, 140, 141, 150, 300] {
            let value = "x".repeat(length);
            let text = seal(&value);
            let bytes = base64_simd::STANDARD.decode_to_vec(&text).unwrap_or_default();
            assert_eq!((bytes.len() - SHORTEST) % 16, 0);
            assert_eq!(open::<String>(&text).as_ref(), Some(&value));
            assert_eq!(open::<u64>(&text), None);
            for at in 0..text.len() {
                let mut changed = text.clone().into_bytes();
                changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
                let changed = String::from_utf8_lossy(&changed).into_owned();
                assert_eq!(open::<String>(&changed), None, "byte {at} of {text}");
            }
        }
        assert_eq!(open::<String>("AAAAAAAAAAE="), None);
        assert_eq!(open::<String>("not base64"), None);
    }
}
