//! `millstream local`: the local service as a server.

use std::env;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use millstream_local::{Fsync, LocalConfig, LocalService};

use crate::duration::parse_duration;
use crate::error::CliError;
use crate::logging::LogFormat;
use crate::stop::Stop;

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

fn parse_stream(text: &str) -> Result<(String, u32), String> {
    let (name, shards) = text.rsplit_once(':').unwrap_or((text, "1"));
    let shards = shards
        .parse()
        .ok()
        .filter(|&shards| shards > 0)
        .ok_or_else(|| format!("'{shards}' is not a number of shards; write NAME:SHARDS, such as orders:4"))?;
    Ok((name.to_owned(), shards))
}

const REGION: &str = "us-east-1";

/// Serves until SIGINT or SIGTERM. The ready line and the exports go to standard output.
pub(crate) async fn run(args: LocalArgs) -> Result<(), CliError> {
    let data_dir = if args.memory { None } else { Some(args.data_dir.map_or_else(default_data_dir, Ok)?) };
    let takes_any_key = args.credentials.is_none();
    let service = LocalService::start(LocalConfig {
        host: args.host,
        port: args.port,
        data_dir: data_dir.clone(),
        fsync: args.fsync.into(),
        state_delay: args.state_delay,
        enforce_limits: args.enforce_limits,
        credentials: args.credentials,
    })
    .await?;
    for (name, shards) in &args.streams {
        service.create_stream(REGION, name, *shards).await?;
    }
    let stop = Stop::listen().map_err(CliError::Runtime)?;
    announce(&service, data_dir, takes_any_key);
    stop.asked_for().await;
    service.shutdown().await;
    Ok(())
}

fn default_data_dir() -> Result<PathBuf, CliError> {
    let base = env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    base.or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share")))
        .map(|base| base.join("millstream/local"))
        .ok_or(CliError::NoDataDir)
}

fn announce(service: &LocalService, data_dir: Option<PathBuf>, takes_any_key: bool) {
    let endpoint = service.endpoint();
    let kept = data_dir.map_or_else(|| "in memory".to_owned(), |path| path.display().to_string());
    let keys = if takes_any_key { " AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local" } else { "" };
    let mut out = io::stdout().lock();
    // Whoever closed standard output does not want to read it; the service runs on.
    let _ = writeln!(
        out,
        "millstream local is ready at {endpoint} (data: {kept})\n\
         export AWS_ENDPOINT_URL={endpoint} AWS_REGION={REGION} AWS_DEFAULT_REGION={REGION}{keys}"
    );
    if let Some(path) = service.ca_path() {
        let (endpoint, path) = (service.tls_endpoint(), path.display());
        let _ = writeln!(out, "# or with TLS: export AWS_ENDPOINT_URL={endpoint} AWS_CA_BUNDLE='{path}'");
    }
    let _ = out.flush();
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_stream_is_a_name_and_a_positive_number_of_shards() {
        assert_eq!(parse_stream("orders:4").unwrap(), ("orders".to_owned(), 4));
        assert_eq!(parse_stream("orders").unwrap(), ("orders".to_owned(), 1));
        assert!(parse_stream("orders:0").unwrap_err().contains("NAME:SHARDS"));
        assert!(parse_stream("orders:many").is_err());
    }
}
