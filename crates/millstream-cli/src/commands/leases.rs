//! `millstream leases`: who reads which shard of an application, and how far.

use std::io::{self, ErrorKind, Write};

use millstream_lease::{DynamoDbLeaseStore, Lease, LeaseStore, Throughput};
use serde_json::json;

use crate::args::{LeasesArgs, Output};
use crate::error::CliError;

/// Prints a line a lease, in the order of the shards. The table is only read; a missing one is an error.
pub(crate) async fn run(args: LeasesArgs) -> Result<(), CliError> {
    let settings = args.aws.settings();
    let mut leases = DynamoDbLeaseStore::connect(&settings, &args.application).await.scan().await?;
    leases.sort_by(|left, right| left.key.cmp(&right.key));
    match print(&leases, args.output, &mut io::stdout().lock()) {
        // Whoever closes the pipe has read enough; `println!` would panic.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(CliError::Write(error)),
        _ => Ok(()),
    }
}

fn print(leases: &[Lease], output: Output, out: &mut impl Write) -> io::Result<()> {
    match output {
        Output::Json => {
            let rows: Vec<_> = leases.iter().map(row).collect();
            writeln!(out, "{}", serde_json::Value::from(rows))?;
        }
        Output::Table => {
            writeln!(out, "{:<22} {:<48} {:<58} HANDOFF", "LEASE", "OWNER", "CHECKPOINT")?;
            for lease in leases {
                let owner = lease.actual_owner().unwrap_or("-");
                let next = lease.checkpoint_owner.as_ref().and(lease.owner.as_deref()).unwrap_or("-");
                writeln!(out, "{:<22} {owner:<48} {:<58} {next}", lease.key, lease.checkpoint.to_string())?;
            }
        }
    }
    out.flush()
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
