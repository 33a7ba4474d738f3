//! `millstream reshard`: another number of shards for a stream.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use clap::Args;
use indicatif::ProgressBar;
use millstream_kinesis::{AwsKinesis, StreamSummary};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::aws::AwsArgs;
use crate::duration::parse_duration;
use crate::error::CliError;
use crate::output::{Output, written};

/// From one look at the stream's state to the next.
const LOOK_EVERY: Duration = Duration::from_millis(500);

#[derive(Args)]
#[command(after_help = "Examples:\n  \
    millstream reshard orders --to 8 --dry-run --endpoint-url http://127.0.0.1:4566\n  \
    millstream reshard orders --to 8\n\n\
    One call of UpdateShardCount at most doubles the open shards, and at least halves them: more takes several calls,\n\
    of which AWS allows ten in 24 hours. Interrupted, the call that is under way goes on in the service.\n\n\
    IAM actions: kinesis:DescribeStreamSummary, kinesis:UpdateShardCount")]
pub(crate) struct ReshardArgs {
    /// Stream to change.
    pub(crate) stream: String,
    /// Open shards that the stream shall have.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) to: u32,
    /// Only show the calls that would be made.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How long to wait until a call has taken effect, such as 90s or 1h.
    #[arg(long, value_name = "TIME", default_value = "30m", value_parser = parse_duration)]
    pub(crate) timeout: Duration,
    /// How the calls are printed.
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) aws: AwsArgs,
}

/// One call of `UpdateShardCount`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    from: u32,
    to: u32,
}

/// Makes the calls one after the other, each printed once the stream is `ACTIVE` with its number of shards.
pub(crate) async fn run(args: ReshardArgs) -> Result<(), CliError> {
    let kinesis = AwsKinesis::connect(&args.aws.settings()).await?;
    let stream = kinesis.describe_stream(&args.stream).await?;
    if stream.mode != "PROVISIONED" {
        return Err(CliError::OnDemand { stream: args.stream });
    }
    if stream.status != "ACTIVE" {
        return Err(CliError::NotActive { stream: args.stream, status: stream.status });
    }
    let steps = plan(stream.open_shards, args.to);
    let is_table = args.output == Output::Table;
    if is_table {
        say(&format!("{:<5} {:<18} FROM  TO", "CALL", "OPERATION"))?;
    }
    for (index, step) in steps.iter().enumerate() {
        if !args.dry_run {
            kinesis.update_shard_count(&args.stream, step.to).await?;
            wait(&kinesis, &args, step.to).await?;
        }
        if is_table {
            say(&format!("{:<5} {:<18} {:<5} {}", index + 1, "UpdateShardCount", step.from, step.to))?;
        }
    }
    if !is_table {
        let calls: Vec<_> = steps.iter().map(|step| json!({"from": step.from, "to": step.to})).collect();
        say(&json!({"stream": args.stream, "dry_run": args.dry_run, "calls": calls}).to_string())?;
    }
    Ok(())
}

/// The fewest calls that lead from `from` open shards to `to`, within what `UpdateShardCount` allows
/// (its page in the Kinesis API reference): not over double, not below half.
fn plan(from: u32, to: u32) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut at = from;
    // A stream has a shard at least; without any, nothing would be reached by doubling.
    while at != to && at > 0 {
        let next = to.clamp(at.div_ceil(2), at.saturating_mul(2));
        steps.push(Step { from: at, to: next });
        at = next;
    }
    steps
}

/// Waits until the stream is `ACTIVE` with `shards` open shards; shows meanwhile how many it has.
async fn wait(kinesis: &AwsKinesis, args: &ReshardArgs, shards: u32) -> Result<(), CliError> {
    let progress = if io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    let deadline = Instant::now() + args.timeout;
    loop {
        let StreamSummary { status, open_shards, .. } = match kinesis.describe_stream(&args.stream).await {
            Ok(stream) => stream,
            Err(error) if error.is_retryable() && Instant::now() < deadline => {
                tracing::warn!(stream = %args.stream, %error, "the stream's state is asked for once more");
                sleep(LOOK_EVERY).await;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        if status == "ACTIVE" && open_shards == shards {
            progress.finish_and_clear();
            return Ok(());
        }
        if Instant::now() >= deadline {
            progress.finish_and_clear();
            return Err(CliError::ReshardTimeout { stream: args.stream.clone(), status, open_shards, shards });
        }
        progress.set_message(format!("{status}: {open_shards} open shards, {shards} wanted"));
        progress.tick();
        sleep(LOOK_EVERY).await;
    }
}

/// Whoever closes the pipe has read enough; the work goes on.
fn say(line: &str) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    written(writeln!(out, "{line}").and_then(|()| out.flush()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stops(from: u32, to: u32) -> Vec<u32> {
        plan(from, to).iter().map(|step| step.to).collect()
    }

    #[test]
    fn a_call_at_most_doubles_and_at_least_halves() {
        assert_eq!(stops(2, 4), [4]);
        assert_eq!(stops(2, 3), [3]);
        assert_eq!(stops(2, 9), [4, 8, 9]);
        assert_eq!(stops(4, 2), [2]);
        assert_eq!(stops(9, 1), [5, 3, 2, 1]);
        assert!(stops(4, 4).is_empty() && stops(0, 4).is_empty());
    }

    #[test]
    fn a_call_begins_where_the_last_one_ended() {
        assert_eq!(plan(1, 4), [Step { from: 1, to: 2 }, Step { from: 2, to: 4 }]);
    }
}
