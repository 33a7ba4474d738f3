//! Which endpoint a service is asked at.

/// The host names of AWS itself end in one of these (botocore's partitions).
const AWS_DOMAINS: [&str; 4] = [".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".on.aws"];

/// Where DynamoDB is asked; none leaves it to the SDK (its environment variables and files, then AWS).
///
/// In this order: what is set for DynamoDB; a Kinesis endpoint that is not AWS (the local service, LocalStack);
/// then the SDK's own rules, where an `AWS_ENDPOINT_URL_KINESIS` that is not AWS counts for DynamoDB too.
pub(super) fn dynamodb(
    dynamodb: Option<&str>,
    kinesis: Option<&str>,
    env: impl Fn(&str) -> Option<String>,
) -> Option<String> {
    let ignored = env("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let env = |name| env(name).filter(|url| !ignored && !url.is_empty());
    if let Some(url) = dynamodb {
        return Some(url.to_owned());
    }
    if env("AWS_ENDPOINT_URL_DYNAMODB").is_some() {
        return None;
    }
    let foreign = |url: &String| !is_aws(url);
    match kinesis {
        Some(url) => Some(url.to_owned()).filter(foreign),
        None if env("AWS_ENDPOINT_URL").is_some() => None,
        None => env("AWS_ENDPOINT_URL_KINESIS").filter(foreign),
    }
}

/// Where CloudWatch is asked; none stands for AWS's own endpoint. There is no SDK behind it: what the environment says is told.
pub(super) fn cloudwatch(
    cloudwatch: Option<&str>,
    kinesis: Option<&str>,
    env: impl Fn(&str) -> Option<String>,
) -> Option<String> {
    let ignored = env("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let env = |name| env(name).filter(|url| !ignored && !url.is_empty());
    let foreign = |url: &String| !is_aws(url);
    (cloudwatch.map(str::to_owned))
        .or_else(|| env("AWS_ENDPOINT_URL_CLOUDWATCH"))
        .or_else(|| kinesis.map(str::to_owned).filter(foreign))
        .or_else(|| env("AWS_ENDPOINT_URL"))
        .or_else(|| env("AWS_ENDPOINT_URL_KINESIS").filter(|url| kinesis.is_none() && foreign(url)))
}

fn is_aws(url: &str) -> bool {
    let host = host(url).to_ascii_lowercase();
    AWS_DOMAINS.iter().any(|domain| host.ends_with(domain))
}

fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_scheme, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = authority.rsplit('@').next().unwrap_or(authority);
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: &str = "http://127.0.0.1:4567";
    const OTHER: &str = "http://localhost:8000";
    const AWS: &str = "https://kinesis.us-east-1.amazonaws.com";

    #[track_caller]
    fn check(set: (Option<&str>, Option<&str>), vars: &[(&str, &str)], expected: Option<&str>) {
        let env = |name: &str| {
            let found = vars.iter().find(|(var, _)| *var == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let (kinesis, own) = set;
        assert_eq!(dynamodb(own, kinesis, env).as_deref(), expected);
    }

    #[test]
    fn dynamodb_is_asked_where_kinesis_is_unless_told_otherwise() {
        check((None, None), &[], None);
        check((Some(AWS), None), &[], None);
        check((Some(LOCAL), None), &[], Some(LOCAL));
        check((Some(LOCAL), Some(OTHER)), &[], Some(OTHER));
        check((Some(AWS), Some(OTHER)), &[], Some(OTHER));
    }

    #[test]
    fn the_environment_decides_what_the_settings_leave_open() {
        check((Some(LOCAL), None), &[("AWS_ENDPOINT_URL_DYNAMODB", OTHER)], None);
        check((Some(LOCAL), None), &[("AWS_ENDPOINT_URL", OTHER)], Some(LOCAL));
        check((None, None), &[("AWS_ENDPOINT_URL", OTHER)], None);
        check((None, None), &[("AWS_ENDPOINT_URL_KINESIS", LOCAL)], Some(LOCAL));
        check((None, None), &[("AWS_ENDPOINT_URL_KINESIS", AWS)], None);
        let ignored = ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
        check((None, None), &[ignored, ("AWS_ENDPOINT_URL_KINESIS", LOCAL)], None);
    }

    #[test]
    fn aws_is_known_by_the_end_of_the_host_name_only() {
        for url in [
            AWS,
            "https://KINESIS.us-east-1.amazonaws.com:443/path",
            "https://vpce-1-2.kinesis.us-east-1.vpce.amazonaws.com",
            "https://kinesis.cn-north-1.amazonaws.com.cn/",
            "https://kinesis.us-east-1.api.aws",
        ] {
            assert!(is_aws(url), "{url}");
        }
        for url in [
            LOCAL,
            "http://amazonaws.com.example.org",
            "http://localhost:4566/.amazonaws.com",
            "http://kinesis.us-east-1.amazonaws.com@localhost",
            "http://[::1]:4566",
            "notamazonaws.com",
            "",
        ] {
            assert!(!is_aws(url), "{url}");
        }
    }

    #[test]
    fn metrics_go_to_the_endpoint_of_kinesis_if_that_is_not_aws() {
        let asked = |own, kinesis, vars: &[(&str, &str)]| {
            let env = |name: &str| vars.iter().find(|(var, _)| *var == name).map(|(_, value)| (*value).to_owned());
            cloudwatch(own, kinesis, env)
        };
        assert_eq!(asked(Some(OTHER), Some(LOCAL), &[]).as_deref(), Some(OTHER));
        assert_eq!(asked(None, Some(LOCAL), &[]).as_deref(), Some(LOCAL));
        assert_eq!(asked(None, Some(AWS), &[]), None);
        assert_eq!(asked(None, Some(LOCAL), &[("AWS_ENDPOINT_URL_CLOUDWATCH", OTHER)]).as_deref(), Some(OTHER));
        assert_eq!(asked(None, Some(AWS), &[("AWS_ENDPOINT_URL", OTHER)]).as_deref(), Some(OTHER));
        assert_eq!(asked(None, None, &[("AWS_ENDPOINT_URL_KINESIS", LOCAL)]).as_deref(), Some(LOCAL));
    }
}
