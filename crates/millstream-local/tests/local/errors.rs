//! What the operations refuse, and AWS's words for it.

use millstream_local::{LocalConfig, LocalService};
use serde_json::Value;

use crate::support::{Client, EAST};

/// Lines of `operation request => exception: message`, the request in JSON. The stream `three` has three shards, of
/// which shard 0 has been split into 3 and 4; the stream `demand` is on demand; `…` in an expected message stands for
/// any text.
const REFUSALS: &str = include_str!("../../testdata/refusals.txt");

#[tokio::test]
async fn refusals_are_those_of_aws() {
    let service = LocalService::start(LocalConfig::default()).await.unwrap();
    let mut client = Client::connect(&service.endpoint(), EAST).await;
    client.ok("CreateStream", serde_json::json!({"StreamName": "three", "ShardCount": 3})).await;
    let split =
        serde_json::json!({"StreamName": "three", "ShardToSplit": "shardId-000000000000", "NewStartingHashKey": "100"});
    client.ok("SplitShard", split).await;
    let on_demand = serde_json::json!({"StreamName": "demand", "StreamModeDetails": {"StreamMode": "ON_DEMAND"}});
    client.ok("CreateStream", on_demand).await;

    let mut wrong = Vec::new();
    for line in REFUSALS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (call, expected) = line.split_once(" => ").unwrap();
        let (operation, request) = call.split_once(' ').unwrap();
        let request: Value = serde_json::from_str(&repeated(request)).unwrap_or_else(|error| panic!("{line}: {error}"));
        let answer = client.kinesis(operation, &request.to_string()).await;
        let found = if answer.status == 200 {
            "ok".to_owned()
        } else {
            let (exception, message) = answer.error();
            format!("{exception}: {message}")
        };
        let expected = repeated(expected);
        let matches = match expected.split_once('…') {
            Some((start, end)) => found.starts_with(start) && found.ends_with(end),
            None => found == expected,
        };
        if !matches {
            wrong.push(format!("{call}\n  expected {expected}\n  found    {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `<a*129>` is 129 times `a`.
fn repeated(text: &str) -> String {
    let Some((before, rest)) = text.split_once('<') else { return text.to_owned() };
    let (what, after) = rest.split_once('>').unwrap();
    let (unit, times) = what.split_once('*').unwrap();
    format!("{before}{}{}", unit.repeat(times.parse().unwrap()), repeated(after))
}
