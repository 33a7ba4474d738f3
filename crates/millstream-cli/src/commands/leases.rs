//! `millstream leases`: who reads which shard of an application, and how far.

use std::io::{self, Write};

use clap::Args;
use millstream_lease::{DynamoDbLeaseStore, Lease, LeaseStore, Throughput};
use serde_json::json;

use crate::aws::AwsArgs;
use crate::error::CliError;
use crate::output::Output;

#[derive(Args)]
#[command(after_help = "Example:\n  millstream leases my-app --endpoint-url http://127.0.0.1:4566")]
pub(crate) struct LeasesArgs {
    /// Application: the name of its lease table.
    pub(crate) application: String,
    /// How the leases are printed.
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) aws: AwsArgs,
}

/// Prints a line a lease, in the order of the shards. The table is only read; a missing one is an error.
pub(crate) async fn run(args: LeasesArgs) -> Result<(), CliError> {
    let settings = args.aws.settings();
    let mut leases = DynamoDbLeaseStore::connect(&settings, &args.application).await.scan().await?;
    leases.sort_by(|left, right| left.key.cmp(&right.key));
    args.output.print(&leases, row, table)
}

fn table(leases: &[Lease], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{:<22} {:<48} {:<58} HANDOFF", "LEASE", "OWNER", "CHECKPOINT")?;
    for lease in leases {
        let owner = lease.actual_owner().unwrap_or("-");
        let next = lease.checkpoint_owner.as_ref().and(lease.owner.as_deref()).unwrap_or("-");
        writeln!(out, "{:<22} {owner:<48} {:<58} {next}", lease.key, lease.checkpoint.to_string())?;
    }
    Ok(())
}

fn row(lease: &Lease) -> serde_json::Value {
    json!({
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
    })
}
