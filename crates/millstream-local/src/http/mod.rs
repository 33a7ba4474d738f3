//! Connections: accepting them, answering their requests, closing them at the end.

mod body;
mod connection;
mod cors;
mod outlet;
mod reply;
mod request;

use std::sync::Arc;
use std::time::Duration;

use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

pub(crate) use body::{Body, DropAfter};
pub(crate) use outlet::{Buffers, Outlet};
pub(crate) use reply::{Dropped, Reply};
pub(crate) use request::{ApiCall, ControlCall, Incoming, MAX_BODY_BYTES, Refusal};

use self::connection::Protocols;
use crate::router::Router;

/// Connections served at a time; more wait in the system's backlog.
const MAX_CONNECTIONS: usize = 4096;
/// How long requests under way may take when the service stops.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);

/// Serves until `stopped` changes or its sender is gone.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: TlsAcceptor,
    router: Arc<Router>,
    mut stopped: watch::Receiver<()>,
) {
    let graceful = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let protocols = Protocols::new(tls, Arc::clone(&router));
    loop {
        let accepted = async {
            let slot = Arc::clone(&slots).acquire_owned().await.ok();
            (listener.accept().await, slot)
        };
        let (connection, slot) = tokio::select! {
            accepted = accepted => accepted,
            _ = stopped.changed() => break,
        };
        match connection {
            Ok((stream, _)) => {
                let served = protocols.clone().serve(stream, graceful.watcher(), stopped.clone());
                let watcher = graceful.watcher();
                tokio::spawn(async move {
                    served.await;
                    drop(slot);
                    // The end waits for this: by then the connection has let go of the services.
                    drop(watcher);
                });
            }
            Err(error) => {
                // Most often too many open files: others have to close first.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    router.stop().await;
    if tokio::time::timeout(SHUTDOWN_GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests were still under way when the local service stopped");
    }
}
