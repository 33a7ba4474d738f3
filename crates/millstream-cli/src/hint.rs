//! What to try, beside an error's own words.

use millstream_kinesis::KinesisError;
use millstream_lease::StoreError;

use crate::error::CliError;

/// One line; none where the error says it all.
pub(crate) fn hint(error: &CliError) -> Option<String> {
    if let CliError::Store(error) = error {
        return match error {
            StoreError::Unreachable { endpoint, message, .. } => unreachable(endpoint, message),
            StoreError::Credentials { message, .. } => Some(credentials_hint(message).to_owned()),
            StoreError::AccessDenied { .. } => Some(POLICIES.to_owned()),
            StoreError::TableMissing { table } => {
                Some(format!("an application's table is named after it: check `{table}`, the region and the endpoint"))
            }
            _ => None,
        };
    }
    match error.of_kinesis()? {
        KinesisError::Unreachable { endpoint, message } => unreachable(endpoint, message),
        KinesisError::AccessDenied { message } => Some(match missing_action(message) {
            Some(action) => format!("allow {action}; {POLICIES}"),
            None => credentials_hint(message).to_owned(),
        }),
        KinesisError::StreamNotFound { region, .. } => {
            Some(format!("`millstream streams --region {region}` lists the streams that are there"))
        }
        _ => None,
    }
}

const POLICIES: &str = "docs/commands.md has the policy that each command needs";

/// The IAM action that AWS names in its refusal (`... is not authorized to perform: kinesis:PutRecords on resource: ...`).
fn missing_action(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("not authorized to perform: ")?;
    rest.split([' ', ',']).next().filter(|action| action.contains(':'))
}

/// What is wrong with the keys, by the code of AWS.
pub(crate) fn credentials_hint(message: &str) -> &'static str {
    let is = |word: &str| message.contains(word);
    if is("Signature expired") || is("Signature not yet current") {
        "this machine's clock is wrong: set it, then try again"
    } else if is("ExpiredToken") {
        "the session has expired: sign in again (such as `aws sso login`)"
    } else if is("UnrecognizedClient") || is("InvalidClientTokenId") {
        "the access key is not known there: check AWS_PROFILE or AWS_ACCESS_KEY_ID, and that the endpoint is the one meant"
    } else if is("SignatureDoesNotMatch") || is("InvalidSignature") || is("IncompleteSignature") {
        "the secret key does not belong to the access key: check AWS_SECRET_ACCESS_KEY"
    } else {
        "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (the local service takes any); `millstream doctor` looks closer"
    }
}

fn unreachable(endpoint: &str, message: &str) -> Option<String> {
    let is_here = ["127.0.0.1", "localhost", "[::1]"].iter().any(|host| endpoint.contains(host));
    if is_here {
        let port = endpoint.rsplit(':').next().and_then(|port| port.trim_end_matches('/').parse::<u16>().ok());
        let port = port.map(|port| format!(" --port {port}")).unwrap_or_default();
        return Some(format!("nothing answers there: `millstream local{port}` starts the local service"));
    }
    (message.contains("dns") || message.contains("lookup"))
        .then(|| "the name is not known: check the region's spelling, and that this machine has a network".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn denied(message: &str) -> String {
        hint(&KinesisError::AccessDenied { message: message.to_owned() }.into()).unwrap()
    }

    #[test]
    fn a_missing_permission_is_named() {
        let said = "AccessDeniedException: User: arn:aws:iam::123456789012:user/reader is not authorized to perform: \
            kinesis:PutRecords on resource: arn:aws:kinesis:us-east-1:123456789012:stream/orders because no \
            identity-based policy allows the kinesis:PutRecords action";
        assert!(denied(said).starts_with("allow kinesis:PutRecords; "), "{}", denied(said));
    }

    #[test]
    fn wrong_keys_are_told_apart() {
        assert!(denied("ExpiredTokenException: The security token included is expired").contains("sign in again"));
        assert!(
            denied("InvalidSignatureException: Signature expired: 2026 is now earlier than 2027").contains("clock")
        );
        assert!(denied("UnrecognizedClientException: no").contains("AWS_ACCESS_KEY_ID"));
        assert!(denied("no credentials could be loaded: nothing").contains("AWS_PROFILE"));
    }

    #[test]
    fn a_local_endpoint_can_be_started() {
        let refused = |endpoint: &str, message: &str| {
            hint(&KinesisError::Unreachable { endpoint: endpoint.to_owned(), message: message.to_owned() }.into())
        };
        assert!(refused("http://127.0.0.1:4566", "refused").unwrap().contains("`millstream local --port 4566`"));
        assert!(refused("http://localhost", "refused").unwrap().contains("`millstream local`"));
        assert!(refused("the endpoint of region us-esat-1", "dns error").unwrap().contains("spelling"));
        assert_eq!(refused("https://kinesis.us-east-1.amazonaws.com", "timed out"), None);
    }
}
