//! `millstream tail`: the records of a stream, as they are kept and as they arrive.

mod printer;
mod record_line;

use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use millstream_kinesis::{AwsKinesis, InitialPosition};
use tokio::sync::mpsc;

use self::printer::Printer;
use self::record_line::RecordFormat;
use crate::aws::AwsArgs;
use crate::duration::parse_duration;
use crate::error::CliError;
use crate::stop::Stop;
use crate::stream_reader::{ShardBlock, StreamReader, since};

#[derive(Args)]
#[command(after_help = "Examples:\n  \
    millstream tail orders --since 10m --endpoint-url http://127.0.0.1:4566\n  \
    millstream tail orders --follow --output json | jq .partition_key\n\n\
    Records of one shard are in order, those of several shards are mixed; aggregated (KPL) records are taken apart.\n\
    Ends when all that was there at its start is printed, or with --follow at Ctrl-C.\n\n\
    IAM actions: kinesis:ListShards, kinesis:GetShardIterator, kinesis:GetRecords")]
pub(crate) struct TailArgs {
    /// Stream to read.
    pub(crate) stream: String,
    /// Read this shard only, such as shardId-000000000000. Else all, children after their parents.
    #[arg(long)]
    pub(crate) shard: Option<String>,
    /// Where to start. [default: horizon; with --follow: latest]
    #[arg(long, value_enum, conflicts_with = "since")]
    pub(crate) from: Option<From>,
    /// Start with what arrived this long ago, such as 30s, 10m, 3h or 1d.
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(crate) since: Option<Duration>,
    /// Go on with what arrives.
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// How a record is printed.
    #[arg(long, value_enum, default_value_t = RecordFormat::Text)]
    pub(crate) output: RecordFormat,
    #[command(flatten)]
    pub(crate) aws: AwsArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum From {
    /// The oldest record kept.
    Horizon,
    /// The next record to arrive.
    Latest,
}

/// Prints records until all is read, a signal comes or nobody reads the output.
pub(crate) async fn run(args: TailArgs) -> Result<(), CliError> {
    let stop = Stop::listen().map_err(CliError::Runtime)?;
    let (mut printer, blocks) = Printer::start(args.output).map_err(CliError::Runtime)?;
    tokio::select! {
        done = read_and_print(&args, blocks, &mut printer) => done,
        () = stop.asked_for() => printer.ended_soon().await,
    }
}

async fn read_and_print(
    args: &TailArgs,
    blocks: mpsc::Sender<ShardBlock>,
    printer: &mut Printer,
) -> Result<(), CliError> {
    tokio::select! {
        read = read(args, blocks) => {
            printer.ended().await?;
            read
        }
        // Nobody reads any more, or the disk is full.
        printed = printer.ended() => printed,
    }
}

/// Reads what is asked for. Cancelled, it stops reading.
async fn read(args: &TailArgs, blocks: mpsc::Sender<ShardBlock>) -> Result<(), CliError> {
    let reader = StreamReader {
        kinesis: Arc::new(AwsKinesis::connect(&args.aws.settings()).await?),
        stream: args.stream.clone(),
        shard: args.shard.clone(),
        from: start(args),
        follow: args.follow,
    };
    reader.run(|_| blocks.clone()).await
}

fn start(args: &TailArgs) -> InitialPosition {
    match (args.since, args.from) {
        (Some(ago), _) => since(ago),
        (None, Some(From::Latest)) => InitialPosition::Latest,
        (None, None) if args.follow => InitialPosition::Latest,
        (None, _) => InitialPosition::TrimHorizon,
    }
}
