//! Kinesis through the AWS SDK.

mod cloudwatch;
mod credentials;
mod decode;
mod endpoint;
mod errors;
mod http;
mod in_columns;
mod kinesis;
mod records;
mod settings;
mod streams;
mod subscription;
mod trust;

pub use cloudwatch::{CloudWatch, CloudWatchError, Datum};
pub use credentials::CredentialsSource;
pub use kinesis::AwsKinesis;
pub use settings::AwsSettings;

#[cfg(test)]
mod tests;
