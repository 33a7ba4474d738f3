//! Where the service is, for every command that calls it.

use std::env;

use clap::Args;
use millstream_kinesis::{AwsSettings, CredentialsSource};

/// Where the service is.
#[derive(Args)]
pub(crate) struct AwsArgs {
    /// Endpoint of Kinesis, where it is not AWS's own.
    #[arg(long, env = "AWS_ENDPOINT_URL", value_parser = parse_endpoint, global = true)]
    pub(crate) endpoint_url: Option<String>,
    /// Region. [default: AWS_REGION, AWS_DEFAULT_REGION, or us-east-1]
    #[arg(long, global = true)]
    pub(crate) region: Option<String>,
}

impl AwsArgs {
    /// The settings of a client for this place, with the credentials of the environment.
    pub(crate) fn settings(&self) -> AwsSettings {
        let of_environment = || env::var("AWS_REGION").or_else(|_| env::var("AWS_DEFAULT_REGION")).ok();
        AwsSettings {
            region: self.region.clone().or_else(of_environment).unwrap_or_else(|| "us-east-1".to_owned()),
            kinesis_endpoint: self.endpoint_url.clone(),
            dynamodb_endpoint: None,
            cloudwatch_endpoint: None,
            credentials: CredentialsSource::Default,
        }
    }
}

pub(crate) fn parse_endpoint(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    if host.is_empty() || host.contains(char::is_whitespace) {
        return Err("an endpoint is a URL such as http://127.0.0.1:4566".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_endpoint_is_a_url_with_a_host() {
        assert_eq!(parse_endpoint("http://127.0.0.1:4566").unwrap(), "http://127.0.0.1:4566");
        for wrong in ["nonsense", "http://", "http://a b", "127.0.0.1:4566"] {
            assert!(parse_endpoint(wrong).unwrap_err().contains("URL"), "{wrong}");
        }
    }
}
