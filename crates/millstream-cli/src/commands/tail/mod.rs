//! `millstream tail`: the records of a stream, as they are kept and as they arrive.

mod family;
mod printer;
mod record_line;
mod shard_task;

use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use millstream_kinesis::{
    AwsKinesis, ChildShard, InitialPosition, Kinesis, KinesisError, RecordBlock, Shard, ShardId, now_ms,
};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use self::family::Family;
use self::printer::Printer;
use self::record_line::RecordFormat;
use self::shard_task::ShardTask;
use crate::aws::AwsArgs;
use crate::duration::parse_duration;
use crate::error::CliError;
use crate::stop::Stop;

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

/// What a shard's reader came back with: at the shard's end, the shards that follow it.
type Outcome = (ShardId, Result<Option<Vec<ChildShard>>, KinesisError>);

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
    blocks: mpsc::Sender<RecordBlock>,
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

/// Reads all the shards that are asked for. Cancelled, it stops reading.
async fn read(args: &TailArgs, blocks: mpsc::Sender<RecordBlock>) -> Result<(), CliError> {
    let kinesis: Arc<dyn Kinesis> = Arc::new(AwsKinesis::connect(&args.aws.settings()).await?);
    let start = start(args);
    let now_ms = now_ms();
    let shards = chosen(kinesis.list_shards(&args.stream).await?, args)?;
    let mut family = if start == InitialPosition::Latest { Family::of_open(shards) } else { Family::of_all(shards) };
    let mut tasks: JoinSet<Outcome> = JoinSet::new();
    loop {
        for member in family.ready() {
            // A child that follows what was read from LATEST is read from its beginning.
            let from =
                if member.is_first || start != InitialPosition::Latest { start } else { InitialPosition::TrimHorizon };
            let task = ShardTask {
                kinesis: Arc::clone(&kinesis),
                stream: args.stream.as_str().into(),
                shard: member.id.clone(),
                hash_range: member.hash_range,
                from,
                until_ms: (!args.follow && !member.is_closed).then_some(now_ms),
                blocks: blocks.clone(),
            };
            tasks.spawn(async move { (member.id, task.run().await) });
        }
        match tasks.join_next().await {
            None => return Ok(()),
            Some(Ok((shard, read))) => match read? {
                Some(children) if args.shard.is_none() => family.ended(&shard, children),
                _ => {}
            },
            Some(Err(failure)) => return Err(CliError::Runtime(failure.into())),
        }
    }
}

fn start(args: &TailArgs) -> InitialPosition {
    match (args.since, args.from) {
        (Some(since), _) => InitialPosition::AtTimestamp(
            now_ms().saturating_sub(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)).max(0),
        ),
        (None, Some(From::Latest)) => InitialPosition::Latest,
        (None, None) if args.follow => InitialPosition::Latest,
        (None, _) => InitialPosition::TrimHorizon,
    }
}

fn chosen(mut shards: Vec<Shard>, args: &TailArgs) -> Result<Vec<Shard>, CliError> {
    if let Some(id) = &args.shard {
        shards.retain(|shard| shard.id.as_str() == id);
        if shards.is_empty() {
            return Err(CliError::NoShard { stream: args.stream.clone(), shard: id.clone() });
        }
    }
    Ok(shards)
}
