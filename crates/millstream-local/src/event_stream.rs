//! `application/vnd.amazon.eventstream`: messages one after the other, each with headers, a payload and checksums.

use bytes::Bytes;

use crate::api_error::ApiError;
use crate::format::Format;

/// The media type of an answer that is an event stream.
pub(crate) const CONTENT_TYPE: &str = "application/vnd.amazon.eventstream";

/// The header values that are strings, the only ones in use here.
const STRING: u8 = 7;
/// Two lengths and their checksum before the headers, a checksum behind the payload.
const PRELUDE: usize = 12;
const CHECKSUM: usize = 4;

/// The first message of a stream, which stands for the members of the answer beside the stream; there are none.
pub(crate) fn initial_response(format: Format) -> Result<Bytes, ApiError> {
    #[derive(serde::Serialize)]
    struct Empty {}
    Ok(event("initial-response", format, &format.write(&Empty {})?))
}

/// An event of a type.
pub(crate) fn event(event_type: &str, format: Format, payload: &[u8]) -> Bytes {
    message(
        [(":message-type", "event"), (":event-type", event_type), (":content-type", format.content_type())],
        payload,
    )
}

/// What ends a stream that fails.
pub(crate) fn exception(error: &ApiError, format: Format) -> Bytes {
    #[derive(serde::Serialize)]
    struct Payload<'a> {
        message: &'a str,
    }
    let payload = format.write(&Payload { message: error.message() }).unwrap_or_default();
    let headers =
        [(":message-type", "exception"), (":exception-type", error.code()), (":content-type", format.content_type())];
    message(headers, &payload)
}

#[expect(clippy::cast_possible_truncation, reason = "a message is far below 4 GiB, names and values are short")]
fn message(headers: [(&str, &str); 3], payload: &[u8]) -> Bytes {
    let headers_length = headers.iter().map(|(name, value)| 1 + name.len() + 1 + 2 + value.len()).sum::<usize>();
    let length = PRELUDE + headers_length + payload.len() + CHECKSUM;
    let mut out = Vec::with_capacity(length);
    out.extend_from_slice(&(length as u32).to_be_bytes());
    out.extend_from_slice(&(headers_length as u32).to_be_bytes());
    out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
    for (name, value) in headers {
        out.push(name.len() as u8);
        out.extend_from_slice(name.as_bytes());
        out.push(STRING);
        out.extend_from_slice(&(value.len() as u16).to_be_bytes());
        out.extend_from_slice(value.as_bytes());
    }
    out.extend_from_slice(payload);
    out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_the_layout_of_the_sdks() {
        // One header and a payload, from the test vectors of the AWS SDKs (`all_headers` has the other types).
        let message = message([("a", "b"), ("", ""), ("cc", "")], b"{}");
        let (prelude, rest) = message.split_at(12);
        assert_eq!(prelude[..8], [0, 0, 0, 34, 0, 0, 0, 16]);
        assert_eq!(prelude[8..], crc32fast::hash(&prelude[..8]).to_be_bytes());
        let (headers, rest) = rest.split_at(16);
        assert_eq!(headers, b"\x01a\x07\x00\x01b\x00\x07\x00\x00\x02cc\x07\x00\x00");
        assert_eq!(rest[..2], *b"{}");
        assert_eq!(rest[2..], crc32fast::hash(&message[..30]).to_be_bytes());
    }
}
