//! `millstream leases APP migrate`: a fleet of Java workers between the KCL 2 and the KCL 3.

mod row;
mod state;

use std::io::{self, Write};

use clap::Args;
use millstream_lease::DynamoDbLeaseStore;
use millstream_lease::fleet::Layout;
use millstream_lease::migration::{ClientVersion, MigrationStep, TableStatus};
use millstream_lease::store::FleetStore;
use serde_json::json;

use self::row::MigrationRow;
use self::state::{Way, meaning, next};
use super::LeasesArgs;
use crate::confirm;
use crate::error::CliError;

#[derive(Args)]
#[command(after_help = "Examples:\n  \
    millstream leases my-app migrate\n  \
    millstream leases my-app migrate --back --dry-run\n\n\
    Without --back or --forward it only tells. Both write the state that the KCL's own KclMigrationTool.py writes, where it is still\n\
    the one that was seen; the workers then change by themselves. The index LeaseOwnerToLeaseKeyIndex stays: that tool deletes it\n\
    two minutes after going back, which saves a little and is not needed.\n\n\
    IAM actions: dynamodb:GetItem, dynamodb:Scan on the lease table and, of the KCL 3.0 to 3.4, on APP-CoordinatorState and\n\
    APP-WorkerMetricStats; dynamodb:UpdateItem to change")]
pub(super) struct MigrateArgs {
    /// Let workers of the KCL 3 work as the KCL 2 again.
    #[arg(long, conflicts_with = "forward")]
    back: bool,
    /// After it went back: begin once more.
    #[arg(long)]
    forward: bool,
    /// Only show what would be written.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

/// Who has written the row, for those who read it.
const BY: &str = "millstream leases migrate";

impl MigrateArgs {
    fn way(&self) -> Option<Way> {
        match (self.forward, self.back) {
            (true, _) => Some(Way::Forward),
            (_, true) => Some(Way::Back),
            _ => None,
        }
    }
}

/// What is told.
struct Report {
    state: String,
    /// The state that is written, or would be.
    next: Option<ClientVersion>,
    modified_by: String,
    modified_ms: Option<i64>,
    table: String,
    /// Besides the lease table there are two more.
    has_three_tables: bool,
    /// How far the move to one table is, if it has begun.
    table_migration: Option<TableStatus>,
    leader: Option<String>,
    /// With rows of metrics: Java's, and ours.
    java_workers: usize,
    our_workers: usize,
}

/// Tells how far the migration is, and changes it if asked to.
pub(super) async fn run(args: &LeasesArgs, migrate: &MigrateArgs, store: &DynamoDbLeaseStore) -> Result<(), CliError> {
    let application = &args.application;
    let Some(row) = MigrationRow::find(&args.aws.settings(), application).await? else {
        return Err(CliError::NoMigration { application: application.clone() });
    };
    let fleet = store.look().await?;
    let next = match migrate.way() {
        None => None,
        Some(way) => Some(next(row.state(), way).map_err(|why| CliError::CantMigrate {
            application: application.clone(),
            state: row.state().to_owned(),
            why,
        })?),
    };
    let report = Report {
        state: row.state().to_owned(),
        next,
        modified_by: row.modified_by().to_owned(),
        modified_ms: row.modified_ms(),
        table: row.table().to_owned(),
        has_three_tables: fleet.has_legacy_tables,
        table_migration: fleet.table_migration.map(|migration| migration.status),
        leader: fleet.lock.map(|lock| lock.owner),
        java_workers: fleet.workers.iter().filter(|worker| !worker.is_ours).count(),
        our_workers: fleet.workers.iter().filter(|worker| worker.is_ours).count(),
    };
    if let Some(next) = next.filter(|_| !migrate.dry_run) {
        if !migrate.yes {
            let next = next.name();
            confirm::typed(application, &format!("{} becomes {next}: {}", report.state, meaning(next)))?;
        }
        let step = MigrationStep::Version { from: Some(ClientVersion::of(row.state())), to: next };
        // Of a fleet that moves, the row is looked for in both tables.
        if !store.migrate(BY, step, Layout::Moving).await? {
            return Err(CliError::LeasesMoved { leases: "Migration3.0".to_owned() });
        }
    }
    args.output.print(&[report], json, |reports, out| reports.iter().try_for_each(|report| print(report, out)))
}

fn tables(report: &Report) -> String {
    let tables = if report.has_three_tables { "three tables (KCL 3.0 to 3.4)" } else { "one table (KCL 3.5 or 2)" };
    report.table_migration.map_or_else(|| tables.to_owned(), |status| format!("{tables}, {}", status.name()))
}

fn print(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "state    {}: {}", report.state, meaning(&report.state))?;
    if let Some(next) = report.next.map(ClientVersion::name) {
        writeln!(out, "next     {next}: {}", meaning(next))?;
    }
    writeln!(out, "written  by {} in table {}", report.modified_by, report.table)?;
    writeln!(out, "tables   {}", tables(report))?;
    writeln!(out, "leader   {}", report.leader.as_deref().unwrap_or("-"))?;
    writeln!(out, "workers  {} of Java, {} of Millstream, that report metrics", report.java_workers, report.our_workers)
}

fn json(report: &Report) -> serde_json::Value {
    json!({
        "state": report.state,
        "next": report.next.map(ClientVersion::name),
        "modified_by": report.modified_by,
        "modified_ms": report.modified_ms,
        "table": report.table,
        "tables": if report.has_three_tables { 3 } else { 1 },
        "table_migration": report.table_migration.map(TableStatus::name),
        "leader": report.leader,
        "java_workers": report.java_workers,
        "our_workers": report.our_workers,
    })
}
