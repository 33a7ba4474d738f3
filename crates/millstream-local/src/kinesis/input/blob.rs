//! Bytes.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer};

use super::value::{Kind, visit};
use crate::api_error::ApiError;

const BLOB: &str = "a Blob";

/// Bytes: in JSON a string in base64, in CBOR as they are.
#[derive(Clone, Debug)]
pub(crate) enum Blob<'a> {
    Base64(Cow<'a, str>),
    Bytes(Cow<'a, [u8]>),
}

impl<'de> Kind<'de> for Base64<'de> {
    const NAME: &'static str = BLOB;
    fn text(text: Cow<'de, str>) -> Option<Self> {
        Some(Self(text))
    }
}

impl<'de> Kind<'de> for Bytes<'de> {
    const NAME: &'static str = BLOB;
    fn bytes(bytes: Cow<'de, [u8]>) -> Option<Self> {
        Some(Self(bytes))
    }
}

struct Base64<'a>(Cow<'a, str>);
struct Bytes<'a>(Cow<'a, [u8]>);

impl<'de: 'a, 'a> Deserialize<'de> for Blob<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let Base64(text) = visit(deserializer)?;
            Ok(Self::Base64(text))
        } else {
            let Bytes(bytes) = visit(deserializer)?;
            Ok(Self::Bytes(bytes))
        }
    }
}

impl Blob<'_> {
    /// Appends the bytes to `out`.
    pub(crate) fn decode(&self, out: &mut Vec<u8>) -> Result<(), ApiError> {
        match self {
            Self::Base64(text) => decode_base64(text, out),
            Self::Bytes(bytes) => {
                out.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    /// No fewer bytes than there are.
    pub(crate) fn size_hint(&self) -> usize {
        match self {
            Self::Base64(text) => text.len().div_ceil(4) * 3,
            Self::Bytes(bytes) => bytes.len(),
        }
    }
}

fn decode_base64(text: &str, out: &mut Vec<u8>) -> Result<(), ApiError> {
    let start = out.len();
    if base64_simd::STANDARD.decode_append(text, out).is_ok() {
        return Ok(());
    }
    out.truncate(start);
    let valid = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
    let reason = match text.trim_end_matches('=').bytes().find(|byte| !valid(byte)) {
        _ if !text.len().is_multiple_of(4) => {
            format!("Base64 encoded length is expected a multiple of 4 bytes but found: {}", text.len())
        }
        Some(byte) => format!("Invalid Base64 character: '{}'", char::from(byte)),
        // The words, the last one included, are AWS's.
        None => "Invalid last non-pad Base64 character dectected".to_owned(),
    };
    Err(ApiError::serialization(format!("'{text}' can not be converted to a Blob: {reason}")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_blob_is_base64() {
        let mut out = b"before".to_vec();
        decode_base64("AAEC/w==", &mut out).unwrap();
        assert_eq!(out, b"before\x00\x01\x02\xff");
        for (text, reason) in [
            ("hello", "Base64 encoded length is expected a multiple of 4 bytes but found: 5"),
            ("=+/=", "Invalid Base64 character: '='"),
            ("+/+?", "Invalid Base64 character: '?'"),
            ("+/9=", "Invalid last non-pad Base64 character dectected"),
        ] {
            let error = decode_base64(text, &mut out).unwrap_err();
            assert_eq!(error.message(), format!("'{text}' can not be converted to a Blob: {reason}"));
        }
        assert_eq!(out.len(), 10);
    }
}
