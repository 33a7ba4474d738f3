//! Kinesis through the AWS SDK.

mod credentials;
mod decode;
mod endpoint;
mod errors;
mod http;
mod kinesis;
mod settings;
mod streams;
mod subscription;

pub use credentials::CredentialsSource;
pub use kinesis::AwsKinesis;
pub use settings::AwsSettings;

#[cfg(test)]
mod tests;
