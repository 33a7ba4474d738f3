//! The port: opened, served by a thread of its own, closed.

mod address;
mod guard;
mod reply;
mod serve;
mod site;

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;

use thiserror::Error;
use tokio::sync::oneshot;

use crate::board::Board;
use crate::feed::Feed;
use crate::status::StatusSource;
use guard::Guard;
use site::Site;

/// Where the pages are, and who may see them.
#[derive(Clone, PartialEq, Eq)]
pub struct DashboardConfig {
    /// The address to listen on. Another than loopback needs a token.
    pub host: IpAddr,
    /// The port (Spark's `spark.ui.port`); 0: any that is free.
    pub port: u16,
    /// How many further ports are tried where one is taken (Spark's `spark.port.maxRetries`).
    pub retries: u16,
    /// What a browser or a program has to know to see anything; at least [`DashboardConfig::SHORTEST_TOKEN`] bytes.
    pub token: Option<String>,
}

impl DashboardConfig {
    /// Bytes that a token has to have.
    pub const SHORTEST_TOKEN: usize = 16;

    /// Whether the settings go together.
    ///
    /// # Errors
    /// A token is missing, or too short.
    pub fn check(&self) -> Result<(), DashboardError> {
        match &self.token {
            None if !self.host.is_loopback() => Err(DashboardError::NoToken { host: self.host }),
            Some(token) if token.len() < Self::SHORTEST_TOKEN => Err(DashboardError::ShortToken),
            _ => Ok(()),
        }
    }
}

impl Default for DashboardConfig {
    /// Spark's ports, on this machine alone.
    fn default() -> Self {
        Self { host: Ipv4Addr::LOCALHOST.into(), port: 4040, retries: 16, token: None }
    }
}

impl std::fmt::Debug for DashboardConfig {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { host, port, retries, token } = self;
        let token = token.as_ref().map(|_| "…");
        f.debug_struct("DashboardConfig")
            .field("host", host)
            .field("port", port)
            .field("retries", retries)
            .field("token", &token)
            .finish()
    }
}

/// Why there are no pages.
#[derive(Debug, Error)]
pub enum DashboardError {
    /// Everybody in the network would see the program.
    #[error(
        "a dashboard on {host} can be seen from other machines, so it needs a token: set one of at least 16 characters, or the \
         address to 127.0.0.1"
    )]
    NoToken {
        /// The address.
        host: IpAddr,
    },
    /// The token could be guessed.
    #[error("the dashboard's token has to have at least 16 characters")]
    ShortToken,
    /// No port could be opened.
    #[error("no port for the dashboard on {host}: {first} and the {retries} after it can't be had: {source}")]
    NoPort {
        /// The address.
        host: IpAddr,
        /// The first port that was tried.
        first: u16,
        /// How many more were tried.
        retries: u16,
        /// Why the last one could not be had.
        source: io::Error,
    },
    /// The system gave no thread, or nothing to wait with.
    #[error("no thread for the dashboard: {0}")]
    Thread(#[source] io::Error),
}

/// The pages of a running program. Dropping it closes them.
pub struct Dashboard {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Dashboard {
    /// Opens the port and begins to serve.
    ///
    /// # Errors
    /// The settings don't go together, or there is no port.
    pub fn start(
        config: &DashboardConfig,
        feed: Arc<Feed>,
        sources: Vec<Arc<dyn StatusSource>>,
    ) -> Result<Self, DashboardError> {
        config.check()?;
        let (listener, address) = address::listen(config)?;
        let guard = Guard::new(config.token.clone(), address);
        let site = Arc::new(Site::new(feed, Arc::new(Board::new(sources)), guard));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(DashboardError::Thread)?;
        let (stop, stopped) = oneshot::channel();
        let serving = move || {
            runtime.block_on(async {
                tokio::select! {
                    () = serve::serve(listener, site) => {}
                    // Its end says the same.
                    _ = stopped => {}
                }
            });
        };
        let thread = std::thread::Builder::new().name("millstream-ui".to_owned()).spawn(serving);
        Ok(Self { address, stop: Some(stop), thread: Some(thread.map_err(DashboardError::Thread)?) })
    }

    /// The address for a browser on this machine, such as `http://127.0.0.1:4040`. The token is not in it.
    pub fn url(&self) -> String {
        match self.address.ip() {
            ip if ip.is_unspecified() => format!("http://127.0.0.1:{}", self.address.port()),
            _ => format!("http://{}", self.address),
        }
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        // A thread that has ended needs no telling.
        let _ = self.stop.take().map(|stop| stop.send(()));
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the dashboard's thread panicked");
        }
    }
}

#[cfg(test)]
mod tests;
