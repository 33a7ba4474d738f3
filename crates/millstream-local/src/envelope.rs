//! What AWS looks at before it asks who sends a request to Kinesis: the media type, the name of the operation, the body.
//!
//! The order and the answers are those that kinesalite's tests (`test/connection.js`) found at AWS.

use serde_json::json;

use crate::api_error::ApiError;
use crate::format::Format;
use crate::http::{ApiCall, Refusal, Reply};
use crate::kinesis;

/// The media type of an older protocol, which no operation is left of.
const OLD_JSON: &str = "application/json";

/// The answer to a request that no operation gets to see.
pub(crate) fn refusal(call: &ApiCall, media_type: &str, operation: Option<&str>) -> Option<Reply> {
    let known = operation.is_some_and(kinesis::knows);
    if call.body.is_empty() {
        let format = if media_type == Format::Json11.content_type() { Format::Json11 } else { Format::Cbor11 };
        let error = if known { unreadable() } else { kinesis::unknown(operation.unwrap_or_default()) };
        return Some(error.into_reply(format));
    }
    let Some(format) = format_of(media_type) else {
        return Some(match call.target().split_once('.') {
            Some((service, operation)) if !service.is_empty() && !operation.is_empty() => {
                xml(404, "<UnknownOperationException/>\n")
            }
            _ => refused(Refusal::NoOperation),
        });
    };
    if media_type == OLD_JSON {
        return Some(if kinesis::is_structure(format, &call.body) {
            old_error("UnknownOperationException", 404)
        } else {
            old_error("SerializationException", 400)
        });
    }
    let error = match operation {
        _ if known => return None,
        _ if !kinesis::is_structure(format, &call.body) => unreadable(),
        operation => kinesis::unknown(operation.unwrap_or_default()),
    };
    Some(error.into_reply(format))
}

/// AWS reads the body first, and says nothing of the caller if it can't.
pub(crate) fn before_the_caller(format: Format, body: &[u8], error: ApiError) -> ApiError {
    if kinesis::is_structure(format, body) { error } else { unreadable() }
}

/// The answer to what is no API call.
pub(crate) fn refused(refusal: Refusal) -> Reply {
    match refusal {
        Refusal::NoOperation => xml(
            403,
            "<AccessDeniedException>\n  <Message>Unable to determine service/operation name to be authorized</Message>\n\
             </AccessDeniedException>\n",
        ),
        Refusal::TooLarge => xml(413, ""),
        Refusal::Broken => xml(400, ""),
    }
}

fn format_of(media_type: &str) -> Option<Format> {
    let json = [Format::Json11.content_type(), OLD_JSON].contains(&media_type);
    let cbor = media_type == Format::Cbor11.content_type();
    json.then_some(Format::Json11).or(cbor.then_some(Format::Cbor11))
}

fn unreadable() -> ApiError {
    ApiError::serialization("")
}

/// AWS gives such answers no media type.
fn xml(status: u16, text: &'static str) -> Reply {
    Reply { status, content_type: "", body: text.as_bytes().to_vec().into() }
}

fn old_error(code: &str, status: u16) -> Reply {
    let body = json!({"Output": {"__type": format!("com.amazon.coral.service#{code}")}, "Version": "1.0"});
    Reply { status, content_type: OLD_JSON, body: body.to_string().into_bytes().into() }
}
