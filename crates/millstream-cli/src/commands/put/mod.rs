//! `millstream put`: lines, JSON objects or rows of a file into a stream.

mod input;

use std::io::{self, Write};
use std::path::PathBuf;
use std::pin::pin;

use clap::{Args, ValueEnum};
use tokio::time::{Instant, sleep_until};

use self::input::AHEAD;
use crate::aws::AwsArgs;
use crate::error::CliError;
use crate::pace::{Pace, parse_positive};
use crate::progress::progress_bar;
use crate::sink::Sink;
use crate::stop::Stop;

#[derive(Args)]
#[command(after_help = "Examples:\n  \
    millstream put orders orders.jsonl --key-field customer --endpoint-url http://127.0.0.1:4566\n  \
    millstream put orders orders.csv --format csv --key-field customer --rate 500 --aggregate\n  \
    tail -f app.log | millstream put logs\n\n\
    Records that are not accepted are put again, ten times in a row at most; then it ends with what was put until then. Records\n\
    of one key stay in order from one call to the next.\n\n\
    IAM actions: kinesis:PutRecords; with --aggregate also kinesis:ListShards")]
pub(crate) struct PutArgs {
    /// Stream to put into.
    pub(crate) stream: String,
    /// File with the records; standard input when left out or `-`.
    #[arg(default_value = "-")]
    pub(crate) file: PathBuf,
    /// How the file is read.
    #[arg(long, value_enum, default_value_t = PutFormat::Lines)]
    pub(crate) format: PutFormat,
    /// Field of the JSON object (means --format json), or column of the CSV, that is the partition key. Without it, records are
    /// spread evenly.
    #[arg(long)]
    pub(crate) key_field: Option<String>,
    /// Records a second. [default: as fast as the stream takes them]
    #[arg(long, value_name = "N", value_parser = parse_positive)]
    pub(crate) rate: Option<f64>,
    /// Put the records of a shard together into aggregated (KPL) ones, of some 50 KB.
    #[arg(long)]
    pub(crate) aggregate: bool,
    /// Number of records that are coming, for the progress bar.
    #[arg(long)]
    pub(crate) total: Option<u64>,
    /// Only read and check the input.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) aws: AwsArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PutFormat {
    /// Each line is a record.
    Lines,
    /// Each line is a JSON object, put as it is.
    Json,
    /// Each row is a record, put as it is; the first one has the names of the columns, and is not put.
    Csv,
}

/// Puts every record, in the order of the input, and prints how many.
pub(crate) async fn run(args: PutArgs) -> Result<(), CliError> {
    let mut input = input::read(&args)?;
    let pace = args.rate.map(Pace::new);
    let step = pace.map_or(AHEAD, |pace| pace.step().min(AHEAD));
    let mut sink = Sink::connect(&args.aws, &args.stream, args.aggregate).await?;
    let progress = progress_bar(args.total);
    let started = Instant::now();
    let (mut taken, mut bytes) = (0, 0);
    let mut next = Vec::new();
    let stop = Stop::listen().map_err(CliError::Runtime)?.asked_for();
    let mut stop = pin!(stop);
    loop {
        let has_ended = tokio::select! {
            biased;
            () = &mut stop => return Err(CliError::Interrupted { done: sink.summary(&args.stream) }),
            count = input.recv_many(&mut next, step) => count == 0,
        };
        if has_ended {
            break;
        }
        let mut entries = Vec::new();
        let mut failure = None;
        for entry in next.drain(..) {
            match entry {
                Ok(entry) => entries.push(entry),
                Err(error) => failure = Some(error),
            }
        }
        if let Some(pace) = pace {
            tokio::select! {
                () = &mut stop => return Err(CliError::Interrupted { done: sink.summary(&args.stream) }),
                () = sleep_until(started + pace.due(taken)) => {}
            }
        }
        taken += entries.len() as u64;
        bytes += entries.iter().map(|entry| entry.size() as u64).sum::<u64>();
        if !args.dry_run && !entries.is_empty() {
            sink.put(entries).await?;
        }
        progress.set_position(taken);
        if let Some(error) = failure {
            return Err(error);
        }
    }
    progress.finish_and_clear();
    let summary = if args.dry_run {
        format!("{taken} records ({bytes} bytes with their keys) would be put into {}", args.stream)
    } else {
        sink.summary(&args.stream)
    };
    // The records are put, whether or not somebody reads so; `println!` would panic.
    let _ = writeln!(io::stdout(), "{summary}");
    Ok(())
}
