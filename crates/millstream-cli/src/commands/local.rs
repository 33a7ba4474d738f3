//! `millstream local`: the local service as a server.

use std::env;
use std::io::{self, Write};
use std::path::PathBuf;

use millstream_local::{LocalConfig, LocalService};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::args::LocalArgs;
use crate::error::CliError;

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

/// What ends the service. Listens from when it is made: a signal that comes with the ready line is not missed.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn asked_for(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
