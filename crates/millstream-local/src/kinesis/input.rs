//! Members of requests, read with AWS's words for a value of the wrong type.
//!
//! All members are optional here: that one is missing is for the constraints to say.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::api_error::ApiError;

/// Reads a request.
pub(crate) fn read<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, ApiError> {
    // A list would be read as the members of a structure in their order.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(ApiError::serialization(""));
    }
    serde_json::from_slice(body).map_err(|error| {
        if !error.is_data() {
            return ApiError::serialization("");
        }
        let text = error.to_string();
        let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
        // What serde says of a structure; the members' own types have AWS's words already.
        ApiError::serialization(match message {
            message if message.starts_with("invalid type: sequence") => LIST,
            message if message.starts_with("invalid type: map") => STRUCTURE,
            message if message.starts_with("invalid type") && message.contains("expected a sequence") => {
                "Expected list or null"
            }
            message if message.starts_with("invalid type") => "Expected null",
            message => message,
        })
    })
}

const LIST: &str = "Start of list found where not expected";
const STRUCTURE: &str = "Start of structure or map found where not expected.";
const NUMBER: &str = "class com.amazon.coral.value.json.numbers.TruncatingBigNumber";

/// A string, borrowed from the request unless it has escapes.
#[derive(Clone, Debug)]
pub(crate) struct Text<'a>(Cow<'a, str>);

/// A string that outlives the request.
#[derive(Clone, Debug)]
pub(crate) struct Word(pub(crate) String);

/// An integer; a fraction is cut off, as AWS does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Integer(pub(crate) i64);

/// True or false.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flag(pub(crate) bool);

/// A time in milliseconds, from seconds with a fraction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timestamp(pub(crate) u64);

impl Text<'_> {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a visitor takes; anything else is refused in AWS's words.
trait Kind<'de>: Sized {
    /// How AWS calls the type: `can not be converted to {NAME}`.
    const NAME: &'static str;
    fn text(_: Cow<'de, str>) -> Option<Self> {
        None
    }
    fn number(_: f64) -> Option<Self> {
        None
    }
    fn boolean(_: bool) -> Option<Self> {
        None
    }
}

impl<'de> Kind<'de> for Text<'de> {
    const NAME: &'static str = "an String";
    fn text(text: Cow<'de, str>) -> Option<Self> {
        Some(Self(text))
    }
}

impl<'de> Kind<'de> for Word {
    const NAME: &'static str = "an String";
    fn text(text: Cow<'de, str>) -> Option<Self> {
        Some(Self(text.into_owned()))
    }
}

impl<'de> Kind<'de> for Integer {
    const NAME: &'static str = "an Integer";
    fn number(number: f64) -> Option<Self> {
        // A cast to an integer cuts the fraction and stays within its range.
        Some(Self(i64::from(number as i32)))
    }
}

impl<'de> Kind<'de> for Flag {
    const NAME: &'static str = "an Boolean";
    fn boolean(value: bool) -> Option<Self> {
        Some(Self(value))
    }
}

impl<'de> Kind<'de> for Timestamp {
    const NAME: &'static str = "milliseconds since epoch";
    fn number(number: f64) -> Option<Self> {
        Some(Self((number * 1000.0).round() as u64))
    }
}

struct KindVisitor<T>(PhantomData<T>);

impl<'de, T: Kind<'de>> Visitor<'de> for KindVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(T::NAME)
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<T, E> {
        T::text(Cow::Borrowed(text)).ok_or_else(|| refused::<T, E>("class java.lang.String"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::text(Cow::Owned(text.to_owned())).ok_or_else(|| refused::<T, E>("class java.lang.String"))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        T::number(number).ok_or_else(|| refused::<T, E>(NUMBER))
    }

    #[expect(clippy::cast_precision_loss, reason = "no member of the API has use for more than 53 bits")]
    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        self.visit_f64(number as f64)
    }

    #[expect(clippy::cast_precision_loss, reason = "no member of the API has use for more than 53 bits")]
    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        self.visit_f64(number as f64)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<T, E> {
        T::boolean(value).ok_or_else(|| refused::<T, E>("class java.lang.Boolean"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<T, A::Error> {
        Err(A::Error::custom(LIST))
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<T, A::Error> {
        Err(A::Error::custom(STRUCTURE))
    }
}

fn refused<'de, T: Kind<'de>, E: de::Error>(found: &str) -> E {
    E::custom(format!("{found} can not be converted to {}", T::NAME))
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KindVisitor::<Text<'de>>(PhantomData))
    }
}

macro_rules! deserialize_by_kind {
    ($($name:ident)*) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(KindVisitor::<$name>(PhantomData))
            }
        }
    )*};
}
deserialize_by_kind!(Word Integer Flag Timestamp);

/// Appends the bytes of a blob to `out`.
pub(crate) fn decode_blob(text: &str, out: &mut Vec<u8>) -> Result<(), ApiError> {
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

    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "PascalCase", default)]
    #[derive(Default)]
    struct Request<'a> {
        #[serde(borrow)]
        name: Option<Text<'a>>,
        limit: Option<Integer>,
        at: Option<Timestamp>,
        list: Option<Vec<Word>>,
    }

    fn refusal(json: &str) -> String {
        let error = read::<Request<'_>>(json.as_bytes()).unwrap_err();
        assert_eq!(error.code(), "SerializationException");
        error.message().to_owned()
    }

    #[test]
    fn values_of_the_wrong_type_are_refused_in_aws_words() {
        for (json, message) in [
            ("", ""),
            ("{", ""),
            ("{\"Name\": nope}", ""),
            ("[]", ""),
            ("{\"Name\": true}", "class java.lang.Boolean can not be converted to an String"),
            (
                "{\"Name\": 1}",
                "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an String",
            ),
            ("{\"Name\": []}", "Start of list found where not expected"),
            ("{\"Name\": {}}", "Start of structure or map found where not expected."),
            ("{\"Limit\": \"1\"}", "class java.lang.String can not be converted to an Integer"),
            ("{\"Limit\": false}", "class java.lang.Boolean can not be converted to an Integer"),
            ("{\"At\": \"now\"}", "class java.lang.String can not be converted to milliseconds since epoch"),
            ("{\"List\": 3}", "Expected list or null"),
            ("{\"List\": {}}", "Start of structure or map found where not expected."),
            (
                "{\"List\": [7]}",
                "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can not be converted to an String",
            ),
        ] {
            assert_eq!(refusal(json), message, "{json}");
        }
    }

    #[test]
    fn values_are_read_as_aws_reads_them() {
        let request: Request<'_> =
            read(br#"{"Name": "a\/b", "Limit": 1e10, "At": 1600000000.0625, "Other": [{}], "List": null}"#).unwrap();
        assert_eq!(request.name.unwrap().as_str(), "a/b");
        assert_eq!(request.limit.unwrap().0, i64::from(i32::MAX));
        assert_eq!(request.at.unwrap().0, 1_600_000_000_063);
        assert!(request.list.is_none());
    }

    #[test]
    fn a_blob_is_base64() {
        let mut out = b"before".to_vec();
        decode_blob("AAEC/w==", &mut out).unwrap();
        assert_eq!(out, b"before\x00\x01\x02\xff");
        for (text, reason) in [
            ("hello", "Base64 encoded length is expected a multiple of 4 bytes but found: 5"),
            ("=+/=", "Invalid Base64 character: '='"),
            ("+/+?", "Invalid Base64 character: '?'"),
            ("+/9=", "Invalid last non-pad Base64 character dectected"),
        ] {
            let error = decode_blob(text, &mut out).unwrap_err();
            assert_eq!(error.message(), format!("'{text}' can not be converted to a Blob: {reason}"));
        }
        assert_eq!(out.len(), 10);
    }
}
