//! Kinesis through the AWS SDK.

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

pub use credentials::CredentialsSource;
pub use kinesis::AwsKinesis;
pub use settings::AwsSettings;

#[cfg(test)]
mod tests;
