//! `millstream shards`: the shards of a stream, open and closed.

use std::io::{self, Write};

use clap::Args;
use millstream_kinesis::{AwsKinesis, Kinesis, Shard, ShardId};
use serde_json::json;

use crate::aws::AwsArgs;
use crate::error::CliError;
use crate::output::Output;

#[derive(Args)]
#[command(after_help = "Example:\n  millstream shards orders --endpoint-url http://127.0.0.1:4566\n\n\
    IAM actions: kinesis:ListShards")]
pub(crate) struct ShardsArgs {
    /// Stream whose shards are shown.
    pub(crate) stream: String,
    /// How the shards are printed.
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) aws: AwsArgs,
}

/// Prints a line a shard, in the order in which they were made.
pub(crate) async fn run(args: ShardsArgs) -> Result<(), CliError> {
    let kinesis = AwsKinesis::connect(&args.aws.settings()).await?;
    let shards = kinesis.list_shards(&args.stream).await?;
    args.output.print(&shards, row, table)
}

fn table(shards: &[Shard], out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "{:<20} {:<6} {:<39} {:<39} {:<56} {:<56} PARENTS",
        "SHARD", "STATE", "FIRST HASH KEY", "LAST HASH KEY", "FIRST SEQUENCE NUMBER", "LAST SEQUENCE NUMBER"
    )?;
    for shard in shards {
        let (start, end) = (shard.hash_range.start.to_string(), shard.hash_range.end.to_string());
        let last = shard.last.as_ref().map_or("-", |last| last.as_str());
        let parents = if shard.parents.is_empty() { "-".to_owned() } else { names(&shard.parents).join(", ") };
        writeln!(
            out,
            "{:<20} {:<6} {start:<39} {end:<39} {:<56} {last:<56} {parents}",
            shard.id.as_str(),
            state(shard),
            shard.first.as_str()
        )?;
    }
    Ok(())
}

fn row(shard: &Shard) -> serde_json::Value {
    json!({
        "shard": shard.id.as_str(),
        "state": state(shard),
        // Texts: a program that reads numbers as doubles would round them.
        "first_hash_key": shard.hash_range.start.to_string(),
        "last_hash_key": shard.hash_range.end.to_string(),
        "first_sequence_number": shard.first.as_str(),
        "last_sequence_number": shard.last.as_ref().map(|last| last.as_str()),
        "parents": names(&shard.parents),
    })
}

fn state(shard: &Shard) -> &'static str {
    if shard.is_closed() { "closed" } else { "open" }
}

fn names(shards: &[ShardId]) -> Vec<&str> {
    shards.iter().map(ShardId::as_str).collect()
}
