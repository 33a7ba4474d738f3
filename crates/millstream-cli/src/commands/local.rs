//! `millstream local`: the local service as a server.

use std::env;
use std::io::Write;
use std::path::PathBuf;

use millstream_kinesis::{AwsKinesis, AwsSettings, CredentialsSource, Kinesis, KinesisError};
use millstream_local::{LocalConfig, LocalService};
use tokio::signal::unix::{SignalKind, signal};

use crate::args::LocalArgs;
use crate::error::CliError;

const REGION: &str = "us-east-1";

/// Serves until SIGINT or SIGTERM. The ready line and the exports go to standard output.
pub(crate) async fn run(args: LocalArgs) -> Result<(), CliError> {
    let data_dir = if args.memory { None } else { Some(args.data_dir.map_or_else(default_data_dir, Ok)?) };
    let service = LocalService::start(LocalConfig {
        host: args.host,
        port: args.port,
        data_dir: data_dir.clone(),
        ..LocalConfig::default()
    })
    .await?;
    create_streams(&service.endpoint(), &args.streams).await?;
    announce(&service.endpoint(), data_dir);
    stopped().await;
    service.shutdown().await;
    Ok(())
}

fn default_data_dir() -> Result<PathBuf, CliError> {
    let base = env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    base.or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share")))
        .map(|base| base.join("millstream/local"))
        .ok_or(CliError::NoDataDir)
}

async fn create_streams(endpoint: &str, streams: &[(String, u32)]) -> Result<(), CliError> {
    if streams.is_empty() {
        return Ok(());
    }
    let kinesis = AwsKinesis::connect(&AwsSettings {
        region: REGION.to_owned(),
        kinesis_endpoint: Some(endpoint.to_owned()),
        dynamodb_endpoint: None,
        credentials: CredentialsSource::Static {
            access_key: "local".to_owned(),
            secret_key: "local".to_owned(),
            session_token: None,
        },
    })
    .await?;
    for (name, shards) in streams {
        match kinesis.stream_active(name).await {
            Ok(_) => {}
            Err(KinesisError::StreamNotFound { .. }) => kinesis.create_stream(name, *shards).await?,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn announce(endpoint: &str, data_dir: Option<PathBuf>) {
    let kept = data_dir.map_or_else(|| "in memory".to_owned(), |path| path.display().to_string());
    let mut out = std::io::stdout().lock();
    // Whoever closed standard output does not want to read it; the service runs on.
    let _ = writeln!(
        out,
        "millstream local is ready at {endpoint} (data: {kept})\n\
         export AWS_ENDPOINT_URL={endpoint} AWS_REGION={REGION} AWS_DEFAULT_REGION={REGION} \
         AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local"
    );
    let _ = out.flush();
}

async fn stopped() {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(error) => {
                tracing::warn!(%error, "SIGTERM can't be caught; stop with SIGINT");
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
