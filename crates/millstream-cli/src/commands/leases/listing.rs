use std::io::{self, Write};
use std::sync::Arc;

use millstream_kinesis::{AwsKinesis, Kinesis};
use millstream_lease::{Lease, LeaseStore, Throughput};
use serde_json::json;

use super::{Lag, LeasesArgs, lags, stream_names};
use crate::error::CliError;

/// A lease as it is shown.
pub(super) struct Line {
    lease: Lease,
    /// None: not asked for.
    lag: Option<Lag>,
}

/// Prints a line a lease, in the order of the shards. The table is only read; a missing one is an error.
pub(super) async fn run(args: &LeasesArgs, store: &dyn LeaseStore) -> Result<(), CliError> {
    let lines = look(args, store, client(args).await?.as_ref()).await?;
    args.output.print(&lines, row, table)
}

/// The client that lags are looked up with, where they are asked for.
pub(super) async fn client(args: &LeasesArgs) -> Result<Option<Arc<dyn Kinesis>>, CliError> {
    if !args.lag {
        return Ok(None);
    }
    Ok(Some(Arc::new(AwsKinesis::connect(&args.aws.settings()).await?)))
}

/// The leases as they are now.
pub(super) async fn look(
    args: &LeasesArgs,
    store: &dyn LeaseStore,
    kinesis: Option<&Arc<dyn Kinesis>>,
) -> Result<Vec<Line>, CliError> {
    let mut leases = store.scan().await?;
    leases.sort_by(|left, right| left.key.cmp(&right.key));
    let Some(kinesis) = kinesis else {
        return Ok(leases.into_iter().map(|lease| Line { lease, lag: None }).collect());
    };
    let streams = stream_names(&args.application, &leases, args.stream.as_deref())?;
    leases.retain(|lease| streams.contains_key(lease.stream()));
    let lags = lags(kinesis, &streams, &leases).await?;
    Ok(leases.into_iter().zip(lags).map(|(lease, lag)| Line { lease, lag: Some(lag) }).collect())
}

pub(super) fn table(lines: &[Line], out: &mut dyn Write) -> io::Result<()> {
    let width = lines.iter().map(|line| line.lease.key.len()).max().unwrap_or(0).max(22);
    let has_lag = lines.iter().any(|line| line.lag.is_some());
    let lag_title = if has_lag { "LAG      " } else { "" };
    writeln!(out, "{:<width$} {:<48} {:<58} {lag_title}HANDOFF", "LEASE", "OWNER", "CHECKPOINT")?;
    for Line { lease, lag } in lines {
        let owner = lease.actual_owner().unwrap_or("-");
        let next = lease.checkpoint_owner.as_ref().and(lease.owner.as_deref()).unwrap_or("-");
        let lag = lag.as_ref().map(|lag| format!("{:<9}", lag.to_string())).unwrap_or_default();
        writeln!(out, "{:<width$} {owner:<48} {:<58} {lag}{next}", lease.key, lease.checkpoint.to_string())?;
    }
    Ok(())
}

pub(super) fn row(Line { lease, lag }: &Line) -> serde_json::Value {
    let mut row = json!({
        "lease": lease.key,
        "owner": lease.actual_owner(),
        "next_owner": lease.checkpoint_owner.as_ref().and(lease.owner.as_deref()),
        "checkpoint": lease.checkpoint.word(),
        "sub_sequence_number": lease.checkpoint.sub(),
        "prepared_checkpoint": lease.pending_checkpoint.as_ref().map(ToString::to_string),
        "throughput_kbps": lease.throughput.map(Throughput::kbps),
        "counter": lease.counter,
        "parents": lease.parents.iter().map(|parent| parent.as_str()).collect::<Vec<_>>(),
        "children": lease.children.iter().map(|child| child.as_str()).collect::<Vec<_>>(),
    });
    if let Some(lag) = lag {
        row["lag_ms"] = lag.ms().into();
    }
    row
}
