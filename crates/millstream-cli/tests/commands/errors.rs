//! What commands say, and end with, where they can't do their work.

use super::support::{Local, failed, millstream};

/// Each command that calls a service.
const COMMANDS: [&[&str]; 10] = [
    &["streams"],
    &["shards", "words"],
    &["tail", "words"],
    &["put", "words"],
    &["replay", "words"],
    &["leases", "app"],
    &["leases", "app", "reset", "--to", "latest", "--stream", "words"],
    &["leases", "app", "steal", "shardId-000000000000", "--to", "w"],
    &["reshard", "words", "--to", "2"],
    &["top", "words", "--once"],
];

/// A record, for those that read standard input.
const INPUT: &str = "{\"arrival_ms\":1,\"partition_key\":\"k\",\"data\":\"d\"}\n";

#[test]
fn a_service_that_is_not_there_is_told_with_how_to_start_it() {
    for command in COMMANDS.iter().step_by(3) {
        let mut refused = millstream(command);
        refused.args(["--endpoint-url", "http://127.0.0.1:1"]);
        let (code, said) = failed(refused, INPUT);
        assert_eq!(code, Some(5), "{command:?}: {said}");
        assert!(said.contains("`millstream local --port 1` starts the local service"), "{command:?}: {said}");
    }
}

#[test]
fn a_missing_permission_is_named_by_every_command() {
    let local = Local::with("words:1");
    let denied = |service: &str| {
        format!(
            r#"{{"kind": "error", "code": "AccessDeniedException", "message":
            "User: arn:aws:iam::123456789012:user/me is not authorized to perform: {service} on resource: x"}}"#
        )
    };
    local.fault(&denied("kinesis:Something"));
    for command in COMMANDS {
        let (code, said) = failed(local.command(command), INPUT);
        assert_eq!(code, Some(4), "{command:?}: {said}");
        let is_named = said.contains("allow kinesis:Something") || said.contains("allow dynamodb:");
        assert!(is_named && said.contains("docs/commands.md"), "{command:?}: {said}");
    }
}

#[test]
fn a_stream_in_another_region_is_looked_for_there() {
    let local = Local::with("words:1");
    for command in [&["shards", "words"][..], &["tail", "words"], &["put", "words"], &["reshard", "words", "--to", "2"]]
    {
        let mut elsewhere = local.command(command);
        elsewhere.args(["--region", "eu-west-1"]);
        let (code, said) = failed(elsewhere, INPUT);
        assert_eq!(code, Some(1), "{command:?}: {said}");
        assert!(
            said.contains("region `eu-west-1`") && said.contains("`millstream streams --region eu-west-1`"),
            "{said}"
        );
    }
}
