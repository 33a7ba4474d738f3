//! AWS's query protocol: a form in, XML out. STS speaks nothing else, CloudWatch so with older SDKs.

mod form;

use uuid::Uuid;

pub(crate) use self::form::Form;
use crate::api_error::ApiError;
use crate::http::Reply;

const CONTENT_TYPE: &str = "text/xml";

/// The answer of an operation; `result` is the XML of its members.
pub(crate) fn answer(namespace: &str, operation: &str, result: &str) -> Reply {
    let id = Uuid::new_v4();
    let xml = format!(
        "<{operation}Response xmlns=\"{namespace}\"><{operation}Result>{result}</{operation}Result>\
         <ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></{operation}Response>\n"
    );
    Reply { status: 200, content_type: CONTENT_TYPE, body: xml.into_bytes().into() }
}

/// An error, under the names that it has in this protocol.
pub(crate) fn error(namespace: &str, error: &ApiError) -> Reply {
    let (status, code) = match error.code() {
        "UnrecognizedClientException" => (403, "InvalidClientTokenId"),
        "InvalidSignatureException" => (403, "SignatureDoesNotMatch"),
        "ExpiredTokenException" => (403, "ExpiredToken"),
        "MissingAuthenticationTokenException" => (403, "MissingAuthenticationToken"),
        "IncompleteSignatureException" => (400, "IncompleteSignature"),
        "UnknownOperationException" => (400, "InvalidAction"),
        "ValidationException" => (400, "ValidationError"),
        "MissingRequiredParameterException" => (400, "MissingParameter"),
        "InvalidParameterValueException" => (400, "InvalidParameterValue"),
        code => (error.status(), code),
    };
    let (fault, id) = (if status < 500 { "Sender" } else { "Receiver" }, Uuid::new_v4());
    let xml = format!(
        "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{fault}</Type><Code>{}</Code><Message>{}</Message></Error>\
         <RequestId>{id}</RequestId></ErrorResponse>\n",
        escaped(code),
        escaped(error.message())
    );
    Reply { status, content_type: CONTENT_TYPE, body: xml.into_bytes().into() }
}

/// Text as it stands in XML.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // XML has no place for the others.
            letter if letter.is_control() && !letter.is_ascii_whitespace() => {}
            letter => out.push(letter),
        }
    }
    out
}
