//! CBOR (RFC 8949) as `application/x-amz-cbor-1.1` has it, for serde.
//!
//! Blobs are byte strings, and times are whole milliseconds under tag 1 (`SdkCborGenerator` of the AWS SDKs for Java),
//! where the standard has seconds. Maps and lists are written without their length, as AWS does; all forms are read.

mod de;
mod ser;
mod write;

use std::fmt;
use std::marker::PhantomData;

use serde::de::DeserializeSeed;
use serde::{Deserialize, Serialize};

pub use ser::TIME;
pub use write::Write;

/// Lists and maps within each other, and no more: reading them takes stack.
const MAX_DEPTH: u8 = 64;

/// Reads one item that is all of `bytes`.
///
/// # Errors
/// The bytes are not one item, or it is of something else.
pub fn from_slice<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, Error> {
    from_slice_seed(PhantomData, bytes)
}

/// Reads one item that is all of `bytes`, with a seed.
///
/// # Errors
/// As [`from_slice`].
pub fn from_slice_seed<'de, T: DeserializeSeed<'de>>(seed: T, bytes: &'de [u8]) -> Result<T::Value, Error> {
    let mut deserializer = de::Deserializer::new(bytes);
    let value = seed.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// Writes a value.
///
/// # Errors
/// The value has something that neither requests nor answers have, such as a variant with values.
pub fn to_vec(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    let mut out = Vec::with_capacity(256);
    value.serialize(ser::Serializer { out: &mut out })?;
    Ok(out)
}

/// Why bytes are not read, or a value is not written.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not CBOR, cut off, or followed by something else.
    #[error("not one CBOR item")]
    Malformed,
    /// CBOR, of something else than what was wanted.
    #[error("{0}")]
    Data(String),
}

impl serde::de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Data(message.to_string())
    }
}

impl serde::ser::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Data(message.to_string())
    }
}

/// The upper three bits of an item's first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Major {
    Unsigned = 0,
    Negative = 1,
    Bytes = 2,
    Text = 3,
    List = 4,
    Map = 5,
    Tag = 6,
    Simple = 7,
}

/// The lower five bits of an item without a length, and the byte that ends it.
const INDEFINITE: u8 = 31;
const BREAK: u8 = 0xff;

#[cfg(test)]
mod tests;
