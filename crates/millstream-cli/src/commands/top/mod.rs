//! `millstream top`: a stream and its application as they are now, in a terminal.

mod board;
mod frame;
mod looking;
mod terminal;

use std::io::{self, Write};
use std::time::Duration;

use clap::Args;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep, sleep_until};

use self::board::{Look, Sort, json, rows};
use self::frame::{Title, frame};
use self::looking::Looking;
use self::terminal::{Key, Screen};
use crate::aws::AwsArgs;
use crate::duration::parse_duration;
use crate::error::CliError;
use crate::output::{Output, written};
use crate::stop::Stop;

/// Where there is no terminal, a frame is as wide and high as it needs to be.
const UNBOUNDED: usize = 10_000;

#[derive(Args)]
#[command(after_help = "Examples:\n  \
    millstream top orders --application my-app --endpoint-url http://127.0.0.1:4566\n  \
    millstream top orders --application my-app --rates --sort rate\n  \
    millstream top orders --application my-app --once --output json\n\n\
    Keys: q quits, s sorts otherwise, arrows (or j and k) scroll. Each look reads each shard of the application once or twice, for\n\
    its lag; --rates reads all that arrives, and takes its part of what a shard gives to its readers: 2 MB and five reads a second.\n\n\
    IAM actions: kinesis:ListShards; with --application kinesis:GetShardIterator, kinesis:GetRecords, dynamodb:Scan; with --rates\n\
    kinesis:GetShardIterator, kinesis:GetRecords")]
pub(crate) struct TopArgs {
    /// Stream to look at.
    stream: String,
    /// Application that reads it: owners and lag of its shards.
    #[arg(long)]
    application: Option<String>,
    /// Count what arrives, by reading it.
    #[arg(long)]
    rates: bool,
    /// By what the shards are ordered.
    #[arg(long, value_enum, default_value_t = Sort::Lag)]
    sort: Sort,
    /// From one look to the next.
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = parse_duration)]
    every: Duration,
    /// Print what is seen in this time, and end; so it is where standard output is no terminal.
    #[arg(long)]
    once: bool,
    /// With --once: how it is printed.
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
    #[command(flatten)]
    aws: AwsArgs,
}

/// Shows what is seen until `q` or a signal.
pub(crate) async fn run(args: TopArgs) -> Result<(), CliError> {
    let stop = Stop::listen().map_err(CliError::Runtime)?;
    let mut looking = Looking::at(&args).await?;
    // A mistake is told before the screen is taken.
    let first = looking.look().await?;
    let screen = if args.once { None } else { Screen::enter().map_err(CliError::Write)? };
    match screen {
        None => once(&args, &mut looking, first).await,
        Some((screen, mut keys)) => tokio::select! {
            ended = watch(&args, &mut looking, first, &screen, &mut keys) => ended,
            () = stop.asked_for() => Ok(()),
        },
    }
}

/// What arrives can be counted only from the first look to a second one.
async fn once(args: &TopArgs, looking: &mut Looking, first: Look) -> Result<(), CliError> {
    let look = if args.rates {
        sleep(args.every).await;
        looking.look().await?
    } else {
        first
    };
    let lines = match args.output {
        Output::Json => {
            vec![serde_json::Value::from(rows(&look, args.sort).iter().map(json).collect::<Vec<_>>()).to_string()]
        }
        Output::Table => frame(&look, &title(args, args.sort, 0, None), UNBOUNDED, UNBOUNDED),
    };
    let mut out = io::stdout().lock();
    written(lines.iter().try_for_each(|line| writeln!(out, "{line}")).and_then(|()| out.flush()))
}

async fn watch(
    args: &TopArgs,
    looking: &mut Looking,
    first: Look,
    screen: &Screen,
    keys: &mut UnboundedReceiver<Key>,
) -> Result<(), CliError> {
    let (mut look, mut failure) = (first, None);
    let (mut sort, mut skip) = (args.sort, 0_usize);
    let mut next_look = Instant::now() + args.every;
    loop {
        let (width, height) = screen.size();
        let lines = frame(&look, &title(args, sort, skip, failure.as_deref()), width, height);
        screen.draw(&lines).map_err(CliError::Write)?;
        tokio::select! {
            Some(key) = keys.recv() => match key {
                Key::Quit => return Ok(()),
                Key::Sort => sort = sort.next(),
                Key::Up => skip = skip.saturating_sub(1),
                Key::Down => skip = (skip + 1).min(look.shards.len()),
            },
            () = sleep_until(next_look) => {
                match looking.look().await {
                    Ok(seen) => (look, failure) = (seen, None),
                    // It is told on the screen, and tried again.
                    Err(error) => failure = Some(error.to_string()),
                }
                next_look = Instant::now() + args.every;
            }
        }
    }
}

fn title<'a>(args: &'a TopArgs, sort: Sort, skip: usize, failure: Option<&'a str>) -> Title<'a> {
    Title { stream: &args.stream, application: args.application.as_deref(), sort, skip, failure }
}
