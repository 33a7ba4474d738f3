//! `millstream replay`: a captured stream, or another one, once more.

mod captured;
mod live;
mod tempo;

use std::io::{self, Write};
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use clap::Args;
use indicatif::ProgressBar;
use millstream_kinesis::{AwsSettings, PutEntry};
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, sleep, sleep_until};

use self::live::Live;
use self::tempo::Tempo;
use crate::aws::{AwsArgs, parse_endpoint};
use crate::duration::parse_duration;
use crate::error::CliError;
use crate::pace::parse_positive;
use crate::progress::progress_bar;
use crate::sink::Sink;
use crate::stop::Stop;

/// Records of one put.
const BATCH: usize = 500;
/// Records that are due so soon are put together.
const SOON: Duration = Duration::from_millis(10);

#[derive(Args)]
#[command(after_help = "Examples:\n  \
    millstream tail orders --since 1h --output json > orders.jsonl\n  \
    millstream replay test-orders orders.jsonl --speed 10 --endpoint-url http://127.0.0.1:4566\n  \
    millstream replay test-orders --from-stream orders --since 1h --rate 500\n\n\
    Records are put with their partition keys. One whose key does not belong to the shard it was in had an explicit hash key, which\n\
    Kinesis does not tell: it gets the lowest of that shard. Those of one shard stay in order; of standard input, lines are put as\n\
    they stand. Ends when all is put that was there at its start.\n\n\
    IAM actions: kinesis:PutRecords; of --from-stream kinesis:ListShards, kinesis:GetShardIterator, kinesis:GetRecords")]
pub(crate) struct ReplayArgs {
    /// Stream to put into.
    stream: String,
    /// File that `tail --output json` wrote; standard input when left out or `-`.
    #[arg(default_value = "-", conflicts_with = "from_stream")]
    file: PathBuf,
    /// Stream to read from, in place of a file.
    #[arg(long, value_name = "STREAM")]
    from_stream: Option<String>,
    /// With --from-stream: what arrived this long ago or later, such as 10m or 3h. [default: all]
    #[arg(long, value_name = "TIME", value_parser = parse_duration, requires = "from_stream")]
    since: Option<Duration>,
    /// Endpoint of the stream to read from. [default: that of the other one]
    #[arg(long, value_name = "URL", value_parser = parse_endpoint, requires = "from_stream")]
    from_endpoint_url: Option<String>,
    /// Region of the stream to read from. [default: that of the other one]
    #[arg(long, value_name = "REGION", requires = "from_stream")]
    from_region: Option<String>,
    /// So many times as fast as the records came, or `max`: as fast as the stream takes them.
    #[arg(long, value_name = "N", default_value = "1", value_parser = parse_speed, conflicts_with = "rate")]
    speed: Tempo,
    /// Records a second, however they came.
    #[arg(long, value_name = "N", value_parser = parse_positive)]
    rate: Option<f64>,
    /// Only read and check the records.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    aws: AwsArgs,
}

impl ReplayArgs {
    fn source_settings(&self) -> AwsSettings {
        let mut settings = self.aws.settings();
        if let Some(region) = &self.from_region {
            settings.region.clone_from(region);
        }
        settings.kinesis_endpoint = self.from_endpoint_url.clone().or(settings.kinesis_endpoint);
        settings
    }
}

fn parse_speed(text: &str) -> Result<Tempo, String> {
    match text {
        "max" => Ok(Tempo::Fastest),
        number => parse_positive(number).map(Tempo::AsCame).map_err(|error| format!("{error}; or max")),
    }
}

/// A record, and when it arrived, in milliseconds since the epoch.
struct Timed {
    at_ms: i64,
    entry: PutEntry,
}

enum Source {
    Captured(Receiver<Result<Timed, CliError>>),
    Live(Live),
}

impl Source {
    async fn next(&mut self) -> Result<Option<Timed>, CliError> {
        match self {
            Source::Captured(records) => records.recv().await.transpose(),
            Source::Live(live) => live.next().await,
        }
    }
}

/// Puts every record when it is due, and prints how many.
pub(crate) async fn run(args: ReplayArgs) -> Result<(), CliError> {
    let mut source = match &args.from_stream {
        Some(stream) => Source::Live(Live::start(&args, stream).await?),
        None => Source::Captured(captured::read(args.file.clone())?),
    };
    let tempo = match (args.dry_run, args.rate) {
        (true, _) => Tempo::Fastest,
        (false, Some(rate)) => Tempo::Rate(rate),
        (false, None) => args.speed,
    };
    let sink = if args.dry_run { None } else { Some(Sink::connect(&args.aws, &args.stream, false).await?) };
    let mut puts = Puts { sink, batch: Vec::new(), taken: 0, progress: progress_bar(None) };
    // The first record's arrival, and when it was had: the time of reading the file does not count.
    let mut first: Option<(i64, Instant)> = None;
    let mut last_ms = 0;
    let stop = Stop::listen().map_err(CliError::Runtime)?.asked_for();
    let mut stop = pin!(stop);
    loop {
        let next = tokio::select! {
            biased;
            () = &mut stop => return puts.interrupted(&args.stream),
            next = source.next() => next,
            // What has come through a pipe does not wait for what follows.
            () = sleep(SOON), if !puts.batch.is_empty() => {
                puts.flush().await?;
                continue;
            }
        };
        let Timed { at_ms, entry } = match next {
            Ok(Some(record)) => record,
            end => {
                puts.flush().await?;
                end?;
                break;
            }
        };
        let (first_ms, started) = *first.get_or_insert_with(|| (at_ms, Instant::now()));
        last_ms = at_ms;
        let due = started + tempo.due(puts.taken, at_ms.saturating_sub(first_ms));
        if puts.batch.len() >= BATCH || due > Instant::now() + SOON {
            puts.flush().await?;
            tokio::select! {
                () = &mut stop => return puts.interrupted(&args.stream),
                () = sleep_until(due) => {}
            }
        }
        puts.taken += 1;
        puts.batch.push(entry);
    }
    puts.progress.finish_and_clear();
    let summary = match puts.sink {
        Some(sink) => sink.summary(&args.stream),
        None => {
            let seconds = first.map_or(0, |(first_ms, _)| last_ms.saturating_sub(first_ms) / 1_000);
            format!("{} records that came in {seconds} s would be put into {}", puts.taken, args.stream)
        }
    };
    // The records are put, whether or not somebody reads so; `println!` would panic.
    let _ = writeln!(io::stdout(), "{summary}");
    Ok(())
}

/// Records on their way into the stream.
struct Puts {
    /// None: in a dry run.
    sink: Option<Sink>,
    batch: Vec<PutEntry>,
    /// Records that were put, or wait in the batch.
    taken: u64,
    progress: ProgressBar,
}

impl Puts {
    /// What waits in the batch is not put.
    fn interrupted(self, stream: &str) -> Result<(), CliError> {
        let done = self.sink.map_or_else(|| "nothing was put".to_owned(), |sink| sink.summary(stream));
        Err(CliError::Interrupted { done })
    }

    async fn flush(&mut self) -> Result<(), CliError> {
        let entries = std::mem::take(&mut self.batch);
        if let Some(sink) = self.sink.as_mut().filter(|_| !entries.is_empty()) {
            sink.put(entries).await?;
        }
        self.progress.set_position(self.taken);
        Ok(())
    }
}
