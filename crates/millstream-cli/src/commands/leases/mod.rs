//! `millstream leases`: who reads which shard of an application, and how far; and to change that.

mod lag;
mod listing;
mod living;
mod migrate;
mod reset;
mod steal;
mod streams;
mod tell;
mod watch;

use std::time::Duration;

use clap::{Args, Subcommand};
use millstream_lease::DynamoDbLeaseStore;

use self::migrate::MigrateArgs;
use self::reset::ResetArgs;
use self::steal::StealArgs;
use crate::aws::AwsArgs;
use crate::duration::parse_duration;
use crate::error::CliError;
use crate::output::Output;

pub(crate) use self::lag::{Lag, lags};
pub(crate) use self::streams::stream_names;

#[derive(Args)]
#[command(after_help = "Examples:\n  \
    millstream leases my-app --endpoint-url http://127.0.0.1:4566\n  \
    millstream leases my-app --watch --lag --stream orders\n  \
    millstream leases my-app reset --to horizon --stream orders --dry-run\n  \
    millstream leases my-app steal shardId-000000000002 --to worker-7\n\n\
    IAM actions: dynamodb:Scan; with --lag kinesis:GetShardIterator, kinesis:GetRecords and kinesis:ListShards")]
pub(crate) struct LeasesArgs {
    /// Application: the name of its lease table.
    pub(crate) application: String,
    #[command(subcommand)]
    action: Option<LeasesAction>,
    /// Print again whenever something has changed, until Ctrl-C.
    #[arg(long)]
    watch: bool,
    /// With --watch: from one look at the table to the next.
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = parse_duration)]
    every: Duration,
    /// Show how old the oldest record is that is not processed: one or two reads of each shard.
    #[arg(long)]
    lag: bool,
    /// The stream that the application reads, which its table does not tell. One that reads several streams tells: then only
    /// this one of them.
    #[arg(long, global = true)]
    stream: Option<String>,
    /// How the leases are printed.
    #[arg(long, value_enum, default_value_t = Output::Table, global = true)]
    output: Output,
    #[command(flatten)]
    aws: AwsArgs,
}

#[derive(Subcommand)]
enum LeasesAction {
    /// Let the application read its stream from another place.
    Reset(ResetArgs),
    /// Give a shard to another worker, when its reader has finished what it has in hand.
    Steal(StealArgs),
    /// Show how far a fleet of Java workers is from the KCL 2 to the KCL 3; back, and forward again.
    Migrate(MigrateArgs),
}

/// Prints the leases, or changes them.
pub(crate) async fn run(args: LeasesArgs) -> Result<(), CliError> {
    let store = DynamoDbLeaseStore::connect(&args.aws.settings(), &args.application).await;
    match &args.action {
        None if args.watch => watch::run(&args, &store).await,
        None => listing::run(&args, &store).await,
        Some(LeasesAction::Reset(action)) => reset::run(&args, action, &store).await,
        Some(LeasesAction::Steal(action)) => steal::run(&args, action, &store).await,
        Some(LeasesAction::Migrate(action)) => migrate::run(&args, action, &store).await,
    }
}
