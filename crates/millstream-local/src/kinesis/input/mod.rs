//! Members of requests, read with AWS's words for a value of the wrong type.
//!
//! All members are optional here: that one is missing is for the constraints to say.

mod blob;
mod structure;
mod value;

use serde::de::{Deserialize, IgnoredAny};

pub(crate) use blob::Blob;
pub(crate) use structure::Structure;
pub(crate) use value::{Flag, Integer, Text, Timestamp, Word};

use crate::api_error::ApiError;
use crate::format::Format;

const LIST: &str = "Start of list found where not expected";
const STRUCTURE: &str = "Start of structure or map found where not expected.";

/// Reads a request.
pub(crate) fn read<'de, T: Deserialize<'de>>(format: Format, body: &'de [u8]) -> Result<T, ApiError> {
    let read = if format == Format::Cbor11 { read_cbor(body) } else { read_json(body) };
    read.map_err(ApiError::serialization)
}

/// Whether a body is something that could be a request.
pub(crate) fn is_structure(format: Format, body: &[u8]) -> bool {
    let is_map = format != Format::Cbor11 || body.first().is_some_and(|first| first >> 5 == 5);
    is_map && read::<IgnoredAny>(format, body).is_ok()
}

fn read_json<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, String> {
    // A list would be read as the members of a structure in their order.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(String::new());
    }
    // Looking for what is no UTF-8 once is quicker than in every string.
    let Ok(body) = str::from_utf8(body) else { return Err(String::new()) };
    serde_json::from_str(body).map_err(|error| {
        if !error.is_data() {
            return String::new();
        }
        let text = error.to_string();
        worded(text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message))
    })
}

fn read_cbor<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, String> {
    millstream_cbor::from_slice(body).map_err(|error| match error {
        millstream_cbor::Error::Malformed => String::new(),
        millstream_cbor::Error::Data(text) => worded(&text),
    })
}

/// What serde says of a structure, in AWS's words; the members' own types have them already.
fn worded(message: &str) -> String {
    let words = match message {
        message if message.starts_with("invalid type: sequence") => LIST,
        message if message.starts_with("invalid type: map") => STRUCTURE,
        message if message.starts_with("invalid type") && message.contains("expected a sequence") => {
            "Expected list or null"
        }
        message if message.starts_with("invalid type") && message.contains("expected a map") => "Expected map or null",
        message if message.starts_with("invalid type") => "Expected null",
        message => message,
    };
    words.to_owned()
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
        map: Option<std::collections::BTreeMap<String, Word>>,
    }

    fn refusal(json: &str) -> String {
        let error = read::<Request<'_>>(Format::Json11, json.as_bytes()).unwrap_err();
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
            ("{\"Map\": 3}", "Expected map or null"),
            ("{\"Map\": []}", "Start of list found where not expected"),
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
        let request: Request<'_> = read(
            Format::Json11,
            br#"{"Name": "a\/b", "Limit": 1e10, "At": 1600000000.0625, "Other": [{}], "List": null}"#,
        )
        .unwrap();
        assert_eq!(request.name.unwrap().as_str(), "a/b");
        assert_eq!(request.limit.unwrap().0, i64::from(i32::MAX));
        assert_eq!(request.at.unwrap().0, 1_600_000_000_063);
        assert!(request.list.is_none());
    }
}
