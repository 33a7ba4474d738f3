//! The SDK's errors by cause.

use std::error::Error;

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use super::{DynamoDbLeaseStore, StoreError};
use crate::store::error::chain;

impl DynamoDbLeaseStore {
    /// The cause of a failed call.
    pub(super) fn error<E>(&self, operation: &'static str, error: &SdkError<E, HttpResponse>) -> StoreError
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let table = self.table.clone();
        if let SdkError::ServiceError(answer) = error {
            let code = answer.err().code().unwrap_or("an error without a code");
            let message = answer.err().message().unwrap_or("no message");
            return self.service_error(operation, code, message);
        }
        let message = chain(error);
        if message.contains("credential") {
            return StoreError::Credentials { table, message };
        }
        if let SdkError::ConstructionFailure(_) = error {
            return self.service_error(operation, "invalid request", &message);
        }
        StoreError::Unreachable { table, endpoint: self.endpoint.clone(), message }
    }

    /// The cause named by an AWS error code.
    pub(super) fn service_error(&self, operation: &'static str, code: &str, message: &str) -> StoreError {
        let table = self.table.clone();
        let said = format!("{code}: {message}");
        match code {
            "ResourceNotFoundException" => StoreError::TableMissing { table },
            "AccessDenied" | "AccessDeniedException" => {
                StoreError::AccessDenied { table, operation, message: message.to_owned() }
            }
            "ExpiredToken"
            | "ExpiredTokenException"
            | "IncompleteSignature"
            | "IncompleteSignatureException"
            | "InvalidClientTokenId"
            | "InvalidSignatureException"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "SignatureDoesNotMatch"
            | "UnrecognizedClientException" => StoreError::Credentials { table, message: said },
            "LimitExceededException"
            | "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "Throttling"
            | "ThrottlingException" => StoreError::Throttled { table, operation },
            _ => {
                let (code, message) = (code.to_owned(), message.to_owned());
                StoreError::Service { table, operation, code, message }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use millstream_kinesis::{AwsSettings, CredentialsSource};

    use super::*;
    use crate::LeaseStore;

    async fn store() -> DynamoDbLeaseStore {
        let settings = AwsSettings {
            region: "us-east-1".into(),
            // Nothing listens on the discard port.
            dynamodb_endpoint: Some("http://127.0.0.1:9".into()),
            credentials: CredentialsSource::Static {
                access_key: "test".into(),
                secret_key: "hidden".into(),
                session_token: None,
            },
            ..AwsSettings::default()
        };
        DynamoDbLeaseStore::connect(&settings, "app").await
    }

    #[tokio::test]
    async fn a_service_that_is_not_there_is_told_with_its_address() {
        let error = store().await.ensure().await.unwrap_err();
        let is_unreachable = matches!(error, StoreError::Unreachable { .. });
        assert!(is_unreachable && error.is_retryable(), "{error:?}");
        assert!(error.to_string().contains("http://127.0.0.1:9"), "{error}");
    }

    #[tokio::test]
    async fn causes_are_told_apart_by_code() {
        let store = store().await;
        let cause = |code| store.service_error("Scan", code, "said");
        assert!(matches!(cause("AccessDeniedException"), StoreError::AccessDenied { .. }));
        assert!(cause("AccessDeniedException").to_string().contains("allow dynamodb:Scan"));
        assert!(matches!(cause("UnrecognizedClientException"), StoreError::Credentials { .. }));
        assert!(matches!(cause("ResourceNotFoundException"), StoreError::TableMissing { .. }));
        assert!(cause("ThrottlingException").is_retryable());
        assert!(!cause("AccessDeniedException").is_retryable());
        assert!(cause("InternalServerError").to_string().contains("InternalServerError: said"));
    }
}
