use std::env;

use super::finding::Finding;
use crate::aws::AwsArgs;

const CHECK: &str = "region";

/// Where the region comes from.
pub(super) fn check(aws: &AwsArgs) -> Finding {
    let region = aws.settings().region;
    if aws.region.is_some() {
        return Finding::well(CHECK, format!("{region}, as --region says"));
    }
    let is_set = |name: &&&str| env::var_os(name).is_some_and(|value| !value.is_empty());
    match ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find(is_set) {
        Some(name) => Finding::well(CHECK, format!("{region}, as {name} says")),
        None if aws.endpoint_url.is_some() => Finding::well(CHECK, format!("{region}, since none is set")),
        None => Finding::doubtful(
            CHECK,
            format!("{region}, since none is set"),
            "set AWS_REGION: a stream is in one region, and is not found in another",
        ),
    }
}
