//! What the command line accepts.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use millstream_kinesis::{AwsSettings, CredentialsSource};
use millstream_local::Fsync;

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
    /// Put lines or JSON objects into a stream.
    Put(PutArgs),
    /// Show who reads which shard of an application, and how far.
    Leases(LeasesArgs),
    /// Run a PySpark Streaming program (same flags as spark-submit).
    #[command(disable_help_flag = true, disable_version_flag = true)]
    Submit(SubmitArgs),
}

impl Command {
    pub(crate) fn log_format(&self) -> LogFormat {
        if let Self::Local(local) = self { local.log_format } else { LogFormat::Text }
    }
}

#[derive(Args)]
#[command(after_help = "Example:\n  millstream local --port 4566 --stream orders:4\n  \
    AWS_ENDPOINT_URL=http://127.0.0.1:4566 aws kinesis list-streams")]
pub(crate) struct LocalArgs {
    /// Port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 4566)]
    pub(crate) port: u16,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    pub(crate) host: String,
    /// Directory that keeps streams, records and tables.
    /// [default: $XDG_DATA_HOME/millstream/local, or ~/.local/share/millstream/local]
    #[arg(long, conflicts_with = "memory")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Keep everything in memory; nothing outlives the process.
    #[arg(long)]
    pub(crate) memory: bool,
    /// When records that are put are brought to the disk.
    #[arg(long, value_enum, default_value_t = FsyncArg::Batch)]
    pub(crate) fsync: FsyncArg,
    /// Create a stream at start if it is not there: NAME:SHARDS. May be given several times.
    #[arg(long = "stream", value_name = "NAME:SHARDS", value_parser = parse_stream)]
    pub(crate) streams: Vec<(String, u32)>,
    /// How long streams stay CREATING, UPDATING and DELETING, such as 500ms or 2s.
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = parse_duration)]
    pub(crate) state_delay: Duration,
    /// Take only the keys of this file, which has the form of AWS's shared credentials, and verify signatures.
    #[arg(long, value_name = "FILE")]
    pub(crate) credentials: Option<PathBuf>,
    /// Enforce the service's quotas: throughput of shards, rates of calls, number of shards.
    #[arg(long)]
    pub(crate) enforce_limits: bool,
    /// How log lines are written to standard error.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FsyncArg {
    /// When the system likes to: a power loss takes what was put in the last half minute or so.
    None,
    /// Before the answer; what arrives while the disk is busy shares the next sync (no added wait).
    Batch,
    /// Before the answer, with a sync for each request.
    Always,
}

impl From<FsyncArg> for Fsync {
    fn from(fsync: FsyncArg) -> Self {
        match fsync {
            FsyncArg::None => Self::None,
            FsyncArg::Batch => Self::Batch,
            FsyncArg::Always => Self::Always,
        }
    }
}

#[derive(Args)]
#[command(
    after_help = "Example:\n  millstream put orders orders.jsonl --key-field customer --endpoint-url http://127.0.0.1:4566"
)]
pub(crate) struct PutArgs {
    /// Stream to put into.
    pub(crate) stream: String,
    /// File with one record a line; standard input when left out or `-`.
    #[arg(default_value = "-")]
    pub(crate) file: PathBuf,
    /// How a line is read.
    #[arg(long, value_enum, default_value_t = PutFormat::Lines)]
    pub(crate) format: PutFormat,
    /// Field of the JSON object that is the partition key (means --format json). Without it, lines are spread evenly.
    #[arg(long)]
    pub(crate) key_field: Option<String>,
    /// Number of records that are coming, for the progress bar.
    #[arg(long)]
    pub(crate) total: Option<u64>,
    #[command(flatten)]
    pub(crate) aws: AwsArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PutFormat {
    /// Each line is a record.
    Lines,
    /// Each line is a JSON object, put as it is.
    Json,
}

#[derive(Args)]
#[command(after_help = "Example:\n  millstream leases my-app --endpoint-url http://127.0.0.1:4566")]
pub(crate) struct LeasesArgs {
    /// Application: the name of its lease table.
    pub(crate) application: String,
    /// How the leases are printed.
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) aws: AwsArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// Columns for people.
    Table,
    /// One JSON array for programs.
    Json,
}

/// Where the service is.
#[derive(Args)]
pub(crate) struct AwsArgs {
    /// Endpoint of Kinesis, where it is not AWS's own.
    #[arg(long, env = "AWS_ENDPOINT_URL", value_parser = parse_endpoint)]
    pub(crate) endpoint_url: Option<String>,
    /// Region. [default: AWS_REGION, AWS_DEFAULT_REGION, or us-east-1]
    #[arg(long)]
    pub(crate) region: Option<String>,
}

impl AwsArgs {
    /// The settings of a client for this place, with the credentials of the environment.
    pub(crate) fn settings(&self) -> AwsSettings {
        let of_environment = || env::var("AWS_REGION").or_else(|_| env::var("AWS_DEFAULT_REGION")).ok();
        AwsSettings {
            region: self.region.clone().or_else(of_environment).unwrap_or_else(|| "us-east-1".to_owned()),
            kinesis_endpoint: self.endpoint_url.clone(),
            dynamodb_endpoint: None,
            credentials: CredentialsSource::Default,
        }
    }
}

#[derive(Args)]
pub(crate) struct SubmitArgs {
    /// spark-submit's flags, the program, and the program's own arguments.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) arguments: Vec<OsString>,
}

fn parse_endpoint(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    if host.is_empty() || host.contains(char::is_whitespace) {
        return Err("an endpoint is a URL such as http://127.0.0.1:4566".to_owned());
    }
    Ok(text.to_owned())
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let number = digits.parse::<f64>().ok().and_then(|number| match &text[digits.len()..] {
        "ms" => Duration::try_from_secs_f64(number / 1000.0).ok(),
        "s" => Duration::try_from_secs_f64(number).ok(),
        "m" => Duration::try_from_secs_f64(number * 60.0).ok(),
        _ => None,
    });
    number.ok_or_else(|| "a time is a number and its unit: 500ms, 2s, 1m".to_owned())
}

fn parse_stream(text: &str) -> Result<(String, u32), String> {
    let (name, shards) = text.rsplit_once(':').unwrap_or((text, "1"));
    let shards = shards
        .parse()
        .ok()
        .filter(|&shards| shards > 0)
        .ok_or_else(|| format!("'{shards}' is not a number of shards; write NAME:SHARDS, such as orders:4"))?;
    Ok((name.to_owned(), shards))
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
    fn a_stream_is_a_name_and_a_positive_number_of_shards() {
        assert_eq!(parse_stream("orders:4").unwrap(), ("orders".to_owned(), 4));
        assert_eq!(parse_stream("orders").unwrap(), ("orders".to_owned(), 1));
        assert!(parse_stream("orders:0").unwrap_err().contains("NAME:SHARDS"));
        assert!(parse_stream("orders:many").is_err());
    }

    #[test]
    fn an_endpoint_is_a_url_with_a_host() {
        assert_eq!(parse_endpoint("http://127.0.0.1:4566").unwrap(), "http://127.0.0.1:4566");
        for wrong in ["nonsense", "http://", "http://a b", "127.0.0.1:4566"] {
            assert!(parse_endpoint(wrong).unwrap_err().contains("URL"), "{wrong}");
        }
    }

    #[test]
    fn a_time_has_a_unit() {
        assert_eq!(parse_duration("500ms").unwrap(), Duration::from_millis(500));
        assert_eq!(parse_duration("1.5s").unwrap(), Duration::from_millis(1500));
        assert_eq!(parse_duration("2m").unwrap(), Duration::from_secs(120));
        for wrong in ["", "5", "s", "-1s", "5h", "1 s", "NaNs", "infs"] {
            assert!(parse_duration(wrong).unwrap_err().contains("500ms"), "{wrong}");
        }
    }

    #[test]
    fn submit_passes_every_argument_on() {
        let cli = Cli::try_parse_from(["millstream", "submit", "--master", "local[2]", "p.py", "--help"]).unwrap();
        let Command::Submit(submit) = cli.command else { panic!("not submit") };
        assert_eq!(submit.arguments, ["--master", "local[2]", "p.py", "--help"]);
    }
}
