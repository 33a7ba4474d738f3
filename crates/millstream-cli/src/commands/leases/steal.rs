//! `millstream leases APP steal`: a shard for another worker.

use std::io::{self, Write};
use std::time::Duration;

use clap::Args;
use millstream_lease::{Lease, LeaseStore};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::LeasesArgs;
use super::tell::tell;
use crate::duration::parse_duration;
use crate::error::CliError;

const LOOK_EVERY: Duration = Duration::from_millis(300);

#[derive(Args)]
#[command(after_help = "Example:\n  millstream leases my-app steal shardId-000000000002 --to worker-7\n\n\
    The shard's reader finishes what it has in hand, writes its last checkpoint and gives the lease over: no record is read twice.\n\
    A reader that shows no sign of life is passed over by its successor. Workers of the KCL 2 know no such handoff: there the old\n\
    one loses the lease at once, and what it had in hand is read again. Workers even their leases out: a worker that has more\n\
    than its share may be asked for them again.\n\n\
    IAM actions: dynamodb:Scan, dynamodb:GetItem, dynamodb:UpdateItem")]
pub(super) struct StealArgs {
    /// Lease to give away: the shard's id, such as shardId-000000000002, or the whole key where there are several streams.
    shard: String,
    /// Worker that shall read it.
    #[arg(long, value_name = "WORKER")]
    to: String,
    /// Only show what would be asked.
    #[arg(long)]
    dry_run: bool,
    /// Also for a worker that nothing is known of.
    #[arg(long)]
    force: bool,
    /// How long to wait until the worker has it; 0s: not at all.
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = parse_duration)]
    timeout: Duration,
}

/// Asks for the handoff, and waits until it is done.
pub(super) async fn run(args: &LeasesArgs, steal: &StealArgs, store: &dyn LeaseStore) -> Result<(), CliError> {
    let leases = store.scan().await?;
    let lease = find(&args.application, &leases, &steal.shard)?;
    let lease = lease.clone();
    if lease.is_ended() {
        return Err(CliError::LeaseEnded { lease: lease.key });
    }
    if lease.owner.as_deref() == Some(&steal.to) && lease.checkpoint_owner.is_none() {
        return say(args, &lease, &steal.to, "there already");
    }
    if lease.checkpoint_owner.is_some() && lease.owner.as_deref() != Some(&steal.to) {
        let next = lease.owner.unwrap_or_default();
        return Err(CliError::HandoffPending { lease: lease.key, next });
    }
    let sessions = store.sessions().await?;
    let is_owner = |lease: &Lease| lease.owner.as_ref() == Some(&steal.to) || lease.actual_owner() == Some(&steal.to);
    let is_known = leases.iter().any(is_owner) || sessions.versions.contains_key(&steal.to);
    let in_fleet = match store.fleet() {
        Some(fleet) if !is_known => fleet.look().await?.workers.iter().any(|worker| worker.id == steal.to),
        _ => false,
    };
    if !is_known && !in_fleet && !steal.force {
        return Err(CliError::NoWorker { application: args.application.clone(), worker: steal.to.clone() });
    }
    if steal.dry_run {
        return say(args, &lease, &steal.to, "would be asked for");
    }
    let is_asked = match (&lease.owner, &lease.checkpoint_owner) {
        (_, Some(_)) => true,
        (Some(_), None) => store.request_handoff(&lease, &steal.to).await?,
        (None, None) => store.take(&lease, &steal.to).await?.is_some(),
    };
    if !is_asked {
        return Err(CliError::LeasesMoved { leases: lease.key });
    }
    tell(store, &sessions).await?;
    let deadline = Instant::now() + steal.timeout;
    loop {
        let now = store.get(&lease.key).await?;
        if now.as_ref().is_some_and(|now| now.actual_owner() == Some(&steal.to)) {
            return say(args, &lease, &steal.to, "given over");
        }
        if steal.timeout.is_zero() {
            return say(args, &lease, &steal.to, "asked for");
        }
        if Instant::now() >= deadline {
            let reader = now.and_then(|now| now.actual_owner().map(str::to_owned)).unwrap_or_default();
            return Err(CliError::HandoffTimeout { lease: lease.key, reader, worker: steal.to.clone() });
        }
        sleep(LOOK_EVERY).await;
    }
}

fn find<'a>(application: &str, leases: &'a [Lease], shard: &str) -> Result<&'a Lease, CliError> {
    let is_asked = |lease: &&Lease| lease.key == shard || lease.shard() == shard;
    let found: Vec<&Lease> = leases.iter().filter(is_asked).collect();
    match found[..] {
        [lease] => Ok(lease),
        [] => Err(CliError::NoLease { application: application.to_owned(), lease: shard.to_owned() }),
        _ => Err(CliError::SeveralLeases {
            lease: shard.to_owned(),
            keys: found.iter().map(|lease| lease.key.as_str()).collect::<Vec<_>>().join(", "),
        }),
    }
}

fn say(args: &LeasesArgs, lease: &Lease, worker: &str, what: &'static str) -> Result<(), CliError> {
    args.output.print(
        &[(lease.key.clone(), lease.actual_owner().map(str::to_owned), worker.to_owned(), what)],
        |(lease, from, to, what)| json!({"lease": lease, "from": from, "to": to, "state": what}),
        |lines, out: &mut dyn Write| lines.iter().try_for_each(|line| print(line, out)),
    )
}

fn print((lease, from, to, what): &(String, Option<String>, String, &str), out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{lease}: from {} to {to}: {what}", from.as_deref().unwrap_or("nobody"))
}
