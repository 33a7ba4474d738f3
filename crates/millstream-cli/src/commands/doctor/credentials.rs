use std::time::{Duration, SystemTime};

use aws_credential_types::provider::ProvideCredentials;

use super::finding::Finding;
use super::place::Place;

const CHECK: &str = "credentials";
/// Less is not enough for a program that runs on.
const SOON: Duration = Duration::from_secs(15 * 60);

/// Whether there are any, and for how long.
pub(super) async fn check(place: &Place) -> Finding {
    let Some(provider) = place.settings.load().await.credentials_provider() else {
        return none("no provider is configured");
    };
    match provider.provide_credentials().await {
        Err(error) => none(&error.to_string()),
        Ok(keys) => {
            let found = format!("access key {}", keys.access_key_id());
            let left = keys.expiry().map(|expiry| expiry.duration_since(SystemTime::now()).unwrap_or_default());
            match left {
                None => Finding::well(CHECK, found),
                Some(Duration::ZERO) => Finding::wrong(
                    CHECK,
                    format!("{found}, which has expired"),
                    "sign in again (such as `aws sso login`)",
                ),
                Some(left) if left < SOON => Finding::doubtful(
                    CHECK,
                    format!("{found}, which expires in {} min", left.as_secs() / 60),
                    "a program that runs on needs credentials that are renewed: a role, or `aws sso login` again",
                ),
                Some(left) => Finding::well(CHECK, format!("{found}, for {} min", left.as_secs() / 60)),
            }
        }
    }
}

fn none(why: &str) -> Finding {
    Finding::wrong(
        CHECK,
        format!("none: {why}"),
        "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (the local service takes any)",
    )
}
