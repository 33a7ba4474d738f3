use std::error::Error;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::event_stream::RawMessage;

use crate::KinesisError;

/// An answer that says no.
pub(super) trait Answer: fmt::Debug {
    /// Whether the service itself failed, so that the same call can succeed later.
    fn is_fault(&self, code: Option<&str>) -> bool;
}

impl Answer for HttpResponse {
    fn is_fault(&self, _: Option<&str>) -> bool {
        self.status().as_u16() >= 500
    }
}

/// An exception in an event stream has no status.
impl Answer for RawMessage {
    fn is_fault(&self, code: Option<&str>) -> bool {
        code.is_none_or(|code| code == "InternalFailureException")
    }
}

/// What was called: for the messages.
pub(super) struct Call<'a> {
    pub(super) stream: &'a str,
    pub(super) region: &'a str,
    pub(super) endpoint: &'a str,
}

impl Call<'_> {
    /// The cause of a failed call, by its AWS error code.
    pub(super) fn error<E, R>(&self, error: &SdkError<E, R>) -> KinesisError
    where
        E: ProvideErrorMetadata + Error + 'static,
        R: Answer + 'static,
    {
        if let SdkError::ServiceError(answer) = error {
            let refused = answer.err();
            return self.answered(refused.code(), refused.message(), answer.raw().is_fault(refused.code()));
        }
        if let Some(cause) = credentials_cause(error) {
            let message = format!("no credentials could be loaded: {}", chain(cause));
            return KinesisError::AccessDenied { message };
        }
        if let SdkError::ConstructionFailure(_) = error {
            return KinesisError::InvalidArgument { message: chain(error) };
        }
        KinesisError::Unreachable {
            endpoint: self.endpoint.to_owned(),
            message: format!(
                "{}; check that the endpoint is right, that its service runs, and that this machine may connect to it",
                chain(error)
            ),
        }
    }

    fn answered(&self, code: Option<&str>, message: Option<&str>, transient: bool) -> KinesisError {
        let code = code.unwrap_or("an error without a code");
        let message = message.unwrap_or("without a message").to_owned();
        match code {
            "ResourceNotFoundException" => {
                KinesisError::StreamNotFound { stream: self.stream.to_owned(), region: self.region.to_owned() }
            }
            "ExpiredIteratorException" => KinesisError::ExpiredIterator,
            "ProvisionedThroughputExceededException"
            | "LimitExceededException"
            | "KMSThrottlingException"
            | "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestLimitExceeded"
            | "TooManyRequestsException" => KinesisError::Throttled,
            "AccessDenied"
            | "AccessDeniedException"
            | "ExpiredToken"
            | "ExpiredTokenException"
            | "IncompleteSignature"
            | "IncompleteSignatureException"
            | "InvalidClientTokenId"
            | "InvalidSignatureException"
            | "KMSAccessDeniedException"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "OptInRequired"
            | "SignatureDoesNotMatch"
            | "UnrecognizedClientException" => KinesisError::AccessDenied { message: format!("{code}: {message}") },
            "ResourceInUseException" => KinesisError::InUse { message },
            "InvalidArgumentException" | "ValidationException" | "ValidationError" => {
                KinesisError::InvalidArgument { message }
            }
            _ => KinesisError::Service { code: code.to_owned(), message, transient },
        }
    }
}

fn credentials_cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    causes(error).find(|cause| cause.is::<CredentialsError>())
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |cause| (*cause).source())
}

/// An error and all its causes in one line, each said once.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    for text in causes(error).map(ToString::to_string) {
        if !texts.iter().any(|said| said.contains(&text)) {
            texts.push(text);
        }
    }
    texts.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: Call<'_> = Call { stream: "words", region: "us-east-1", endpoint: "http://localhost:1" };

    fn answered(code: &str, transient: bool) -> KinesisError {
        CALL.answered(Some(code), Some("said"), transient)
    }

    #[test]
    fn codes_become_causes() {
        let not_found = answered("ResourceNotFoundException", false);
        assert!(not_found.to_string().contains("`words`"), "{not_found}");
        assert!(not_found.to_string().contains("`us-east-1`"), "{not_found}");
        assert_eq!(answered("ExpiredIteratorException", false), KinesisError::ExpiredIterator);
        assert_eq!(answered("ProvisionedThroughputExceededException", false), KinesisError::Throttled);
        assert_eq!(answered("LimitExceededException", false), KinesisError::Throttled);
        let denied = answered("UnrecognizedClientException", false);
        assert!(matches!(denied, KinesisError::AccessDenied { .. }));
        assert_eq!(answered("ResourceInUseException", false), KinesisError::InUse { message: "said".to_owned() });
        assert!(denied.to_string().contains("UnrecognizedClientException: said"), "{denied}");
    }

    #[test]
    fn only_what_can_pass_by_itself_is_worth_a_retry() {
        assert!(answered("ThrottlingException", false).is_retryable());
        assert!(answered("InternalFailure", true).is_retryable());
        assert!(CALL.answered(None, None, true).is_retryable());
        assert!(!answered("KMSDisabledException", false).is_retryable());
        assert!(!answered("AccessDeniedException", false).is_retryable());
        assert!(!answered("InvalidArgumentException", false).is_retryable());
        assert!(!answered("ResourceNotFoundException", false).is_retryable());
    }
}
