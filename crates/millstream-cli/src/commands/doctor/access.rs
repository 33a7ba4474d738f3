use std::fmt::Display;

use millstream_kinesis::{Checkpoint, HashKeyRange, Kinesis, KinesisError, ReadFrom, Shard};
use millstream_lease::{Lease, LeaseStore, StoreError};

use super::finding::Finding;
use super::place::Place;

const CHECK: &str = "permission";
/// A lease that is not there: what is asked of it is refused by its condition, or does nothing.
const NO_LEASE: &str = "millstream-doctor-asks-for-no-lease";

/// What reading the stream needs. Nothing is tried without a stream.
pub(super) async fn of_stream(place: &Place) -> Vec<Finding> {
    let Some(stream) = place.stream.as_deref() else { return Vec::new() };
    let mut findings = vec![of_kinesis("kinesis:DescribeStreamSummary", &place.kinesis.describe_stream(stream).await)];
    let listed = place.kinesis.list_shards(stream).await;
    findings.push(of_kinesis("kinesis:ListShards", &listed));
    let shard = listed.ok().and_then(|shards| shards.into_iter().find(|shard| !shard.is_closed()));
    if let Some(Shard { id, .. }) = shard {
        let iterator = place.kinesis.get_iterator(stream, &id, &ReadFrom::Latest).await;
        findings.push(of_kinesis("kinesis:GetShardIterator", &iterator));
        if let Ok(iterator) = iterator {
            let read = place.kinesis.get_records(stream, &id, &iterator, 1).await;
            findings.push(match read {
                Err(KinesisError::Throttled) => Finding::doubtful(
                    CHECK,
                    "kinesis:GetRecords is throttled",
                    "a shard takes five reads a second of all its readers: read by enhanced fan-out (spark.millstream.retrieval=fanOut)",
                ),
                read => of_kinesis("kinesis:GetRecords", &read),
            });
        }
    }
    findings
}

/// What a worker needs of its table. Nothing is tried without an application, or before it has a table.
pub(super) async fn of_table(place: &Place) -> Vec<Finding> {
    if place.application.is_none() {
        return Vec::new();
    }
    let scanned = place.store.scan().await;
    if matches!(scanned, Err(StoreError::TableMissing { .. })) {
        return Vec::new();
    }
    let range = HashKeyRange::ALL;
    let shard = Shard { id: NO_LEASE.into(), parents: Vec::new(), hash_range: range, first: 1.into(), last: None };
    let none = Lease::of_shard(&shard, Checkpoint::TrimHorizon);
    let mut findings = vec![
        of_store("dynamodb:Scan", &scanned),
        of_store("dynamodb:GetItem", &place.store.get(NO_LEASE).await),
        of_store("dynamodb:UpdateItem", &place.store.renew(&none).await),
        of_store("dynamodb:DeleteItem", &place.store.delete(&none).await),
    ];
    // A lease that is there is not made again.
    if let Some(lease) = scanned.ok().and_then(|leases| leases.into_iter().next()) {
        findings.push(of_store("dynamodb:PutItem", &place.store.create(&lease).await));
    }
    findings
}

fn of_kinesis<T>(action: &str, answer: &Result<T, KinesisError>) -> Finding {
    match answer {
        Ok(_) => granted(action),
        Err(error @ KinesisError::AccessDenied { .. }) => denied(action, error),
        Err(error) => Finding::unknown(CHECK, format!("{action}: {error}")),
    }
}

fn of_store<T>(action: &str, answer: &Result<T, StoreError>) -> Finding {
    match answer {
        Ok(_) => granted(action),
        Err(error @ (StoreError::AccessDenied { .. } | StoreError::Credentials { .. })) => denied(action, error),
        Err(error) => Finding::unknown(CHECK, format!("{action}: {error}")),
    }
}

fn granted(action: &str) -> Finding {
    Finding::well(CHECK, action)
}

fn denied(action: &str, error: impl Display) -> Finding {
    Finding::wrong(CHECK, format!("{action} is refused: {error}"), format!("allow {action} in the role's policy"))
}
