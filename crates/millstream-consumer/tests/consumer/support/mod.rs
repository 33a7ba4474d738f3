//! What tests against the local service share.

use millstream_kinesis::{AwsSettings, CredentialsSource};
use millstream_local::LocalService;

/// The settings of clients of a local service, with keys of no meaning.
pub(crate) fn settings(service: &LocalService) -> AwsSettings {
    AwsSettings {
        region: "us-east-1".to_owned(),
        kinesis_endpoint: Some(service.endpoint()),
        dynamodb_endpoint: None,
        cloudwatch_endpoint: None,
        credentials: CredentialsSource::Static {
            access_key: "test".to_owned(),
            secret_key: "test".to_owned(),
            session_token: None,
        },
    }
}
