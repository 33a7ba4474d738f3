//! What the command line accepts; the arguments of a command are in its own file.

use clap::{Parser, Subcommand};

use crate::commands::completions::CompletionsArgs;
use crate::commands::cost::CostArgs;
use crate::commands::doctor::DoctorArgs;
use crate::commands::leases::LeasesArgs;
use crate::commands::local::LocalArgs;
use crate::commands::put::PutArgs;
use crate::commands::replay::ReplayArgs;
use crate::commands::reshard::ReshardArgs;
use crate::commands::shards::ShardsArgs;
use crate::commands::streams::StreamsArgs;
use crate::commands::submit::SubmitArgs;
use crate::commands::tail::TailArgs;
use crate::commands::top::TopArgs;
use crate::logging::LogFormat;

/// Amazon Kinesis as streams of micro-batches, without a JVM.
#[derive(Parser)]
#[command(name = "millstream", version, propagate_version = true)]
pub(crate) struct Cli {
    /// Log more: -v for information, -vv for debugging (or set RUST_LOG).
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub(crate) verbose: u8,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Serve Kinesis and DynamoDB on one local port, for any AWS SDK.
    Local(LocalArgs),
    /// List the streams of a region.
    Streams(StreamsArgs),
    /// Show the shards of a stream: hash keys, parents, sequence numbers.
    Shards(ShardsArgs),
    /// Print the records of a stream, also as they arrive.
    Tail(TailArgs),
    /// Put lines, JSON objects or rows of CSV into a stream.
    Put(PutArgs),
    /// Put the records of a captured stream, or of another one, into a stream, as they came.
    Replay(ReplayArgs),
    /// Show who reads which shard of an application, and how far.
    Leases(LeasesArgs),
    /// Watch a stream and its application: shards, rates, lag, owners.
    Top(TopArgs),
    /// Estimate what a fleet costs a month: DynamoDB, shards, fan-out, and the same with the Java KCL.
    Cost(CostArgs),
    /// Check credentials, permissions, endpoints, clock and limits: what is wrong, and how to mend it.
    Doctor(DoctorArgs),
    /// Change the number of shards of a stream.
    Reshard(ReshardArgs),
    /// Print what a shell needs to complete this command.
    Completions(CompletionsArgs),
    /// Run a PySpark Streaming program (same flags as spark-submit).
    #[command(disable_help_flag = true, disable_version_flag = true)]
    Submit(SubmitArgs),
}

impl Command {
    pub(crate) fn log_format(&self) -> LogFormat {
        if let Self::Local(local) = self { local.log_format } else { LogFormat::Text }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn submit_passes_every_argument_on() {
        let cli = Cli::try_parse_from(["millstream", "submit", "--master", "local[2]", "p.py", "--help"]).unwrap();
        let Command::Submit(submit) = cli.command else { panic!("not submit") };
        assert_eq!(submit.arguments, ["--master", "local[2]", "p.py", "--help"]);
    }
}
