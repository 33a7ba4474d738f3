use super::finding::Finding;
use super::place::Place;

const CHECK: &str = "limits";
/// Consumers for enhanced fan-out of a stream, unless its account has On-demand Advantage (Kinesis quotas).
const CONSUMERS: usize = 20;

/// The account's shards, and the stream's consumers. What may not be asked is left out.
pub(super) async fn check(place: &Place) -> Vec<Finding> {
    [of_account(place).await, of_consumers(place).await].into_iter().flatten().collect()
}

async fn of_account(place: &Place) -> Option<Finding> {
    let limits = place.client.describe_limits().send().await.ok()?;
    let (open, limit) = (limits.open_shard_count, limits.shard_limit);
    let found = format!("{open} of {limit} shards of the account are open");
    // A reshard needs as many again for a while.
    Some(if open.saturating_mul(10) >= limit.saturating_mul(9) {
        Finding::doubtful(CHECK, found, "ask AWS for a higher quota of shards before the next reshard")
    } else {
        Finding::well(CHECK, found)
    })
}

async fn of_consumers(place: &Place) -> Option<Finding> {
    let stream = place.stream.as_deref()?;
    let summary = place.client.describe_stream_summary().stream_name(stream).send().await.ok()?;
    let arn = summary.stream_description_summary?.stream_arn;
    let listed = place.client.list_stream_consumers().stream_arn(arn).send().await.ok()?;
    let count = listed.consumers.unwrap_or_default().len();
    let found = format!("{count} of {CONSUMERS} fan-out consumers of {stream} are registered");
    Some(if count >= CONSUMERS {
        Finding::doubtful(CHECK, found, "deregister one that is not used: a further reader by fan-out polls instead")
    } else {
        Finding::well(CHECK, found)
    })
}
