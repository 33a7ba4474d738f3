//! `millstream leases APP reset`: the application reads its stream from another place.

mod search;
mod target;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use millstream_kinesis::{AwsKinesis, Checkpoint, Kinesis, Shard, ShardId, now_ms};
use millstream_lease::reset::{Change, plan};
use millstream_lease::{Lease, LeaseStore, StreamIdentifier};
use serde_json::json;

use self::search::starts_at;
use self::target::{Target, parse_target};
use super::living::living;
use super::tell::tell;
use super::{LeasesArgs, stream_names};
use crate::confirm;
use crate::duration::parse_duration;
use crate::error::CliError;

#[derive(Args)]
#[command(after_help = "Examples:\n  \
    millstream leases my-app reset --to horizon --stream orders --dry-run\n  \
    millstream leases my-app reset --to 2026-11-26T07:00:00Z --stream orders\n  \
    millstream leases my-app reset --to 2h --stream orders --yes\n\n\
    Stop the application first: while one of its workers shows a sign of life, nothing is changed. Parents are read before their\n\
    children again. Each write is made only where the lease is as it was seen; run it again if one is refused. A program with a\n\
    checkpoint directory goes on where that says, whatever its leases say: give it another one.\n\n\
    IAM actions: dynamodb:Scan, dynamodb:GetItem, dynamodb:PutItem, dynamodb:UpdateItem, dynamodb:DeleteItem, kinesis:ListShards;\n\
    for a time kinesis:GetShardIterator and kinesis:GetRecords; of several streams kinesis:DescribeStreamSummary")]
pub(super) struct ResetArgs {
    /// From where to read: horizon (the oldest record), latest (what arrives from now on), a time such as
    /// 2026-11-26T07:00:00Z, or how long ago, such as 2h.
    #[arg(long, value_name = "PLACE", value_parser = parse_target)]
    to: Target,
    /// Only show what would be written.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    /// Also while workers live: they lose their leases, and what they have in hand is read again.
    #[arg(long)]
    force: bool,
    /// How long to look for signs of life; the workers' failover time.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_duration)]
    failover: Duration,
}

/// Shows what is to be written, asks, and writes it.
pub(super) async fn run(args: &LeasesArgs, reset: &ResetArgs, store: &dyn LeaseStore) -> Result<(), CliError> {
    let leases = store.scan().await?;
    if leases.is_empty() {
        return Err(CliError::NoLeases { application: args.application.clone() });
    }
    let kinesis: Arc<dyn Kinesis> = Arc::new(AwsKinesis::connect(&args.aws.settings()).await?);
    let mut changes = Vec::new();
    for (identifier, stream) in stream_names(&args.application, &leases, args.stream.as_deref())? {
        let of_stream: Vec<Lease> = leases.iter().filter(|lease| lease.stream() == identifier).cloned().collect();
        changes.extend(changes_of(&kinesis, args, reset, &identifier, &stream, &of_stream).await?);
    }
    if reset.dry_run || changes.is_empty() {
        return args.output.print(&changes, row, table);
    }
    if !reset.force {
        let workers = living(store, reset.failover).await?;
        if !workers.is_empty() {
            let workers = workers.into_iter().collect::<Vec<_>>().join(", ");
            return Err(CliError::WorkersLive { application: args.application.clone(), workers });
        }
    }
    if !reset.yes {
        let mut text = Vec::new();
        table(&changes, &mut text).map_err(CliError::Write)?;
        confirm::typed(&args.application, &String::from_utf8_lossy(&text))?;
    }
    write(store, &changes).await?;
    tell(store, &store.sessions().await?).await?;
    args.output.print(&changes, row, table)
}

async fn changes_of(
    kinesis: &Arc<dyn Kinesis>,
    args: &LeasesArgs,
    reset: &ResetArgs,
    identifier: &str,
    stream: &str,
    leases: &[Lease],
) -> Result<Vec<Change>, CliError> {
    let shards: BTreeMap<ShardId, Shard> =
        kinesis.list_shards(stream).await?.into_iter().map(|shard| (shard.id.clone(), shard)).collect();
    // Shards of all streams have the same names.
    let is_of_stream = |lease: &Lease| {
        shards.get(lease.shard()).is_some_and(|shard| lease.hash_range.is_none_or(|range| range == shard.hash_range))
    };
    let is_same = match identifier.parse::<StreamIdentifier>() {
        Ok(known) => kinesis.stream_origin(stream).await?.created_s == i64::try_from(known.epoch).unwrap_or(-1),
        Err(_) => leases.iter().any(is_of_stream),
    };
    if !is_same {
        let (application, stream) = (args.application.clone(), stream.to_owned());
        return Err(CliError::NotReadByApplication { application, stream });
    }
    let starts = match reset.to {
        Target::Horizon => BTreeMap::new(),
        Target::Latest => {
            let start = |shard: &Shard| if shard.is_closed() { Checkpoint::ShardEnd } else { Checkpoint::Latest };
            shards.values().map(|shard| (shard.id.clone(), start(shard))).collect()
        }
        Target::Time(time_ms) => starts_at(kinesis, stream, &shards, time_ms).await?,
    };
    Ok(plan(identifier, &shards, leases, &starts, now_ms()))
}

/// In order: parents are there before their children are taken away.
async fn write(store: &dyn LeaseStore, changes: &[Change]) -> Result<(), CliError> {
    let mut refused = Vec::new();
    for change in changes {
        let is_done = match change {
            Change::Create(lease) => store.create(lease).await?,
            Change::Reset { seen, to } => store.reset(seen, to).await?,
            Change::Delete(seen) => store.delete(seen).await?,
        };
        if !is_done {
            refused.push(change.key());
        }
    }
    if refused.is_empty() { Ok(()) } else { Err(CliError::LeasesMoved { leases: refused.join(", ") }) }
}

fn words(change: &Change) -> (&'static str, Option<&Lease>, Option<&Lease>) {
    match change {
        Change::Create(to) => ("create", None, Some(to)),
        Change::Reset { seen, to } => ("reset", Some(seen), Some(to.as_ref())),
        Change::Delete(seen) => ("delete", Some(seen), None),
    }
}

fn table(changes: &[Change], out: &mut dyn Write) -> io::Result<()> {
    let width = changes.iter().map(|change| change.key().len()).max().unwrap_or(0).max(22);
    writeln!(out, "{:<width$} {:<7} {:<58} TO", "LEASE", "ACTION", "FROM")?;
    for change in changes {
        let (action, from, to) = words(change);
        let place = |lease: Option<&Lease>| lease.map_or("-".to_owned(), |lease| lease.checkpoint.to_string());
        writeln!(out, "{:<width$} {action:<7} {:<58} {}", change.key(), place(from), place(to))?;
    }
    Ok(())
}

fn row(change: &Change) -> serde_json::Value {
    let (action, from, to) = words(change);
    let place = |lease: Option<&Lease>| lease.map(|lease| lease.checkpoint.to_string());
    json!({"lease": change.key(), "action": action, "from": place(from), "to": place(to)})
}
