//! `millstream streams`: the streams of a region.

use std::io::{self, Write};

use clap::Args;
use millstream_kinesis::{AwsKinesis, KinesisError, StreamSummary};
use serde_json::json;

use crate::aws::AwsArgs;
use crate::error::CliError;
use crate::output::Output;

#[derive(Args)]
#[command(after_help = "Example:\n  millstream streams --endpoint-url http://127.0.0.1:4566\n\n\
    IAM actions: kinesis:ListStreams, kinesis:DescribeStreamSummary")]
pub(crate) struct StreamsArgs {
    /// How the streams are printed.
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) aws: AwsArgs,
}

/// Prints a line a stream, in the order of the names.
pub(crate) async fn run(args: StreamsArgs) -> Result<(), CliError> {
    let kinesis = AwsKinesis::connect(&args.aws.settings()).await?;
    let mut streams = Vec::new();
    for name in kinesis.list_streams().await? {
        match kinesis.describe_stream(&name).await {
            Ok(stream) => streams.push(stream),
            // Deleted since it was listed.
            Err(KinesisError::StreamNotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    args.output.print(&streams, row, table)
}

fn table(streams: &[StreamSummary], out: &mut dyn Write) -> io::Result<()> {
    let width = streams.iter().map(|stream| stream.name.len()).max().unwrap_or(0).max(24);
    writeln!(out, "{:<width$} {:<9} {:<12} {:>11} RETENTION", "STREAM", "STATUS", "MODE", "OPEN SHARDS")?;
    for StreamSummary { name, status, mode, open_shards, retention_hours } in streams {
        writeln!(out, "{name:<width$} {status:<9} {mode:<12} {open_shards:>11} {retention_hours} h")?;
    }
    Ok(())
}

fn row(stream: &StreamSummary) -> serde_json::Value {
    json!({
        "stream": stream.name,
        "status": stream.status,
        "mode": stream.mode,
        "open_shards": stream.open_shards,
        "retention_hours": stream.retention_hours,
    })
}
