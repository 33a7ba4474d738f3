//! Errors, in AWS's codes and words.

use std::borrow::Cow;
use std::io;

use serde::Serialize;

use crate::format::Format;
use crate::http::Reply;

/// An error as a client sees it: `{"__type": code, "message": …}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    code: Cow<'static, str>,
    status: u16,
    message: String,
}

impl ApiError {
    pub(crate) fn new(code: impl Into<Cow<'static, str>>, status: u16, message: impl Into<String>) -> Self {
        Self { code: code.into(), status, message: message.into() }
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new("ResourceNotFoundException", 400, message)
    }

    pub(crate) fn in_use(message: impl Into<String>) -> Self {
        Self::new("ResourceInUseException", 400, message)
    }

    pub(crate) fn limit_exceeded(message: impl Into<String>) -> Self {
        Self::new("LimitExceededException", 400, message)
    }

    pub(crate) fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new("InvalidArgumentException", 400, message)
    }

    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationException", 400, message)
    }

    pub(crate) fn serialization(message: impl Into<String>) -> Self {
        Self::new("SerializationException", 400, message)
    }

    pub(crate) fn unknown_operation(message: impl Into<String>) -> Self {
        Self::new("UnknownOperationException", 400, message)
    }

    /// The service failed; the log says why.
    pub(crate) fn internal() -> Self {
        Self::new("InternalFailure", 500, "The request processing has failed because of an internal error")
    }

    /// A failed file operation: logged here, kept from the client.
    pub(crate) fn storage(doing: &str, error: &io::Error) -> Self {
        tracing::error!(%error, "cannot {doing}");
        Self::internal()
    }

    pub(crate) fn into_reply(self, format: Format) -> Reply {
        #[derive(Serialize)]
        struct Body<'a> {
            __type: &'a str,
            #[serde(skip_serializing_if = "str::is_empty")]
            message: &'a str,
            #[serde(rename = "Message", skip_serializing_if = "str::is_empty")]
            capital_message: &'a str,
        }
        // What AWS cannot read is answered by a layer of its own, which writes the member with a capital.
        let (message, capital_message) =
            if self.code == "SerializationException" { ("", &*self.message) } else { (&*self.message, "") };
        // Strings always serialise.
        let body = format.write(&Body { __type: &self.code, message, capital_message }).unwrap_or_default();
        Reply { status: self.status, content_type: format.content_type(), body: body.into() }
    }

    pub(crate) fn is_not_found(&self) -> bool {
        self.code == "ResourceNotFoundException"
    }

    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }
}
