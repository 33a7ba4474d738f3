//! The running service: its port, its data, its end.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::auth::Auth;
use crate::clock::Clock;
use crate::cloudwatch::CloudWatch;
use crate::config::LocalConfig;
use crate::control::Control;
use crate::dynamodb::DynamoDb;
use crate::error::LocalError;
use crate::faults::Faults;
use crate::http;
use crate::kinesis::{Kinesis, Region, trim_regularly};
use crate::router::Router;
use crate::storage::DataDir;
use crate::tls::Tls;

/// A running local Kinesis and DynamoDB.
///
/// Dropping it stops the server too, without waiting for the requests it is answering.
#[derive(Debug)]
pub struct LocalService {
    address: SocketAddr,
    clock: Clock,
    faults: Arc<Faults>,
    kinesis: Arc<Kinesis>,
    ca_pem: String,
    ca_path: Option<PathBuf>,
    stop: watch::Sender<()>,
    server: JoinHandle<()>,
    trimming: JoinHandle<()>,
}

impl LocalService {
    /// Opens the data directory, if there is one, and starts to listen.
    ///
    /// # Errors
    /// If the data directory is in use, damaged or of another version, or if the address cannot be bound.
    pub async fn start(config: LocalConfig) -> Result<Self, LocalError> {
        let address = format!("{}:{}", config.host, config.port);
        let listener = TcpListener::bind((config.host.as_str(), config.port))
            .await
            .map_err(|source| LocalError::Listen { address: address.clone(), source })?;
        let address = listener.local_addr().map_err(|source| LocalError::Listen { address, source })?;

        let faults = Arc::new(Faults::default());
        let clock = Clock::default();
        let (router, tls) = open(config, clock.clone(), Arc::clone(&faults)).await?;
        let (router, Tls { acceptor, ca_pem, ca_path }) = (Arc::new(router), tls);
        let kinesis = Arc::clone(&router.kinesis);
        let (stop, stopped) = watch::channel(());
        let trimming = tokio::spawn(trim_regularly(Arc::clone(&kinesis), stopped.clone()));
        let server = tokio::spawn(http::serve(listener, acceptor, router, stopped));
        Ok(Self { address, clock, faults, kinesis, ca_pem, ca_path, stop, server, trimming })
    }

    /// The URL to give to an AWS SDK as its endpoint, such as `http://127.0.0.1:4567`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        self.url("http")
    }

    /// The same for TLS, such as `https://127.0.0.1:4567`: the port is the same. The certificate is one for `localhost`,
    /// `127.0.0.1` and `::1`.
    #[must_use]
    pub fn tls_endpoint(&self) -> String {
        self.url("https")
    }

    /// The certificate, in PEM, of the authority that TLS clients of this service have to trust.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The file that has [`LocalService::ca_pem`], such as for `AWS_CA_BUNDLE`; `None` for a service in memory.
    #[must_use]
    pub fn ca_path(&self) -> Option<&Path> {
        self.ca_path.as_deref()
    }

    fn url(&self, scheme: &str) -> String {
        let port = self.address.port();
        if self.address.ip().is_unspecified() {
            format!("{scheme}://127.0.0.1:{port}")
        } else {
            format!("{scheme}://{}", self.address)
        }
    }

    /// Makes a stream of so many shards in a region, unless it has a stream of that name. No quota is asked.
    ///
    /// # Errors
    /// If the name or the number of shards is not one that Kinesis takes, or the stream can't be written down.
    pub async fn create_stream(&self, region: &str, name: &str, shards: u32) -> Result<(), LocalError> {
        self.kinesis
            .create_if_missing(&Region::from(region), name, shards)
            .await
            .map_err(|error| LocalError::Stream { name: name.to_owned(), reason: error.message().to_owned() })
    }

    /// The clock that the service goes by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The faults that the service applies to requests; none unless a test injects some.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Stops listening, answers the requests under way and releases the data directory.
    pub async fn shutdown(self) {
        self.stop.send_replace(());
        for task in [self.server, self.trimming] {
            if let Err(error) = task.await {
                tracing::error!(%error, "the local service did not stop cleanly");
            }
        }
    }
}

/// Opens both services on a blocking thread: a large data directory takes a while to check.
async fn open(config: LocalConfig, clock: Clock, faults: Arc<Faults>) -> Result<(Router, Tls), LocalError> {
    let opened = tokio::task::spawn_blocking(move || {
        let auth = Auth::open(config.credentials.as_deref(), clock.clone())?;
        let data = config.data_dir.as_deref().map(DataDir::open).transpose()?.map(Arc::new);
        let tls = Tls::open(data.as_deref().map(DataDir::path))?;
        let dynamodb = DynamoDb::open(data.clone(), clock.clone())?;
        let kinesis = Arc::new(Kinesis::open(data, clock.clone(), &config)?);
        let cloudwatch = Arc::new(CloudWatch::new(clock.clone()));
        let control = Control::new(Arc::clone(&faults), Arc::clone(&kinesis), Arc::clone(&cloudwatch), clock);
        Ok((Router { auth, kinesis, dynamodb, cloudwatch, control, faults }, tls))
    });
    match opened.await {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}
