use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};

use super::{CredentialsSource, endpoint, http};

/// What the AWS SDK waits for a connection by default.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3_100);
/// A `GetRecords` answer can hold 10 MiB; its first byte must come within this time.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
const MAX_ATTEMPTS: u32 = 3;

/// How to reach AWS. What is left open here is decided as in every AWS SDK: environment variables, then files.
/// `Debug` shows no secret.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AwsSettings {
    /// The region; empty leaves it open.
    pub region: String,
    /// The URL at which Kinesis is asked.
    pub kinesis_endpoint: Option<String>,
    /// The URL at which DynamoDB is asked; see [`Self::dynamodb_endpoint_effective`].
    pub dynamodb_endpoint: Option<String>,
    /// The URL at which CloudWatch is asked; see [`Self::cloudwatch_endpoint_effective`].
    pub cloudwatch_endpoint: Option<String>,
    /// Where the credentials come from.
    pub credentials: CredentialsSource,
}

impl AwsSettings {
    /// The URL to give to a DynamoDB client; none leaves it to the SDK.
    ///
    /// A Kinesis endpoint that is not AWS is used for DynamoDB too, unless `dynamodb_endpoint` or
    /// `AWS_ENDPOINT_URL_DYNAMODB` is set.
    pub fn dynamodb_endpoint_effective(&self) -> Option<String> {
        endpoint::dynamodb(self.dynamodb_endpoint.as_deref(), self.kinesis_endpoint.as_deref(), |name| {
            std::env::var(name).ok()
        })
    }

    /// The URL at which CloudWatch is asked; none stands for AWS's own.
    ///
    /// A Kinesis endpoint that is not AWS is used for CloudWatch too, unless `cloudwatch_endpoint` or `AWS_ENDPOINT_URL_CLOUDWATCH`
    /// is set.
    pub fn cloudwatch_endpoint_effective(&self) -> Option<String> {
        endpoint::cloudwatch(self.cloudwatch_endpoint.as_deref(), self.kinesis_endpoint.as_deref(), |name| {
            std::env::var(name).ok()
        })
    }

    /// The SDK's configuration: region, credentials, time limits, at most three attempts for a call, and one HTTP client
    /// shared by all clients of the process. It holds none of the endpoints set here: give each client its own.
    pub async fn load(&self) -> SdkConfig {
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http::shared())
            .retry_config(RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS))
            .timeout_config(
                TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(READ_TIMEOUT).build(),
            );
        if !self.region.is_empty() {
            loader = loader.region(Region::new(self.region.clone()));
        }
        if let Some(credentials) = self.credentials.fixed() {
            loader = loader.credentials_provider(credentials);
        }
        self.credentials.assume(loader.load().await).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_who_but_no_secret() {
        let base = CredentialsSource::Static {
            access_key: "AKIDEXAMPLE".into(),
            secret_key: "hidden-1".into(),
            session_token: Some("hidden-2".into()),
        };
        let settings = AwsSettings {
            credentials: CredentialsSource::AssumeRole {
                role_arn: "arn:aws:iam::1:role/reader".into(),
                session_name: "session".into(),
                external_id: Some("hidden-3".into()),
                base: Box::new(base),
            },
            ..AwsSettings::default()
        };
        for shown in [format!("{settings:?}"), format!("{settings:#?}")] {
            assert!(shown.contains("AKIDEXAMPLE") && shown.contains("role/reader"), "{shown}");
            assert!(!shown.contains("hidden"), "{shown}");
        }
    }
}
