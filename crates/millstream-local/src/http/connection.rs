//! One connection: TLS or not, HTTP/1.1 or HTTP/2, whichever its first bytes say.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::Incoming;
use super::cors::Cors;
use crate::router::Router;
use crate::tls;

/// Requests of one HTTP/2 connection under way at a time; the Java SDK opens further connections beyond.
const MAX_REQUESTS: u32 = 1000;
/// Bytes of a request's body on their way before they are asked for; a PutRecords of usual size needs no second asking.
const REQUEST_WINDOW: u32 = 1024 * 1024;
/// The same for all requests of a connection together.
const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;
/// How long a client may take for its part of a TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// What is served on every connection.
#[derive(Clone)]
pub(super) struct Protocols {
    http: Builder<TokioExecutor>,
    tls: TlsAcceptor,
    router: Arc<Router>,
}

impl Protocols {
    pub(super) fn new(tls: TlsAcceptor, router: Arc<Router>) -> Self {
        let mut http = Builder::new(TokioExecutor::new());
        http.http1().timer(TokioTimer::new());
        http.http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_REQUESTS)
            .initial_stream_window_size(REQUEST_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW);
        Self { http, tls, router }
    }

    /// Serves a connection to its end. When `stopped` changes, the requests under way are still answered.
    pub(super) async fn serve(self, stream: TcpStream, watcher: Watcher, mut stopped: watch::Receiver<()>) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
        let begun = tokio::select! {
            begun = self.begin(stream) => begun,
            _ = stopped.changed() => return,
        };
        let served = match begun {
            Ok(Begun::Plain(stream)) => self.http(stream, watcher).await,
            Ok(Begun::Tls(stream)) => self.http(stream, watcher).await,
            Err(error) => Err(error.into()),
        };
        if let Err(error) = served {
            tracing::debug!(error, "connection ended");
        }
    }

    /// Waits for the first byte, and for the handshake if it is one of TLS.
    async fn begin(&self, stream: TcpStream) -> io::Result<Begun> {
        let mut first = [0];
        stream.peek(&mut first).await?;
        if first != [tls::FIRST_BYTE] {
            return Ok(Begun::Plain(stream));
        }
        let stream = tokio::time::timeout(HANDSHAKE, self.tls.accept(stream)).await??;
        Ok(Begun::Tls(Box::new(stream)))
    }

    async fn http(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        watcher: Watcher,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let router = Arc::clone(&self.router);
        let service = service_fn(move |request| {
            let router = Arc::clone(&router);
            async move {
                let cors = Cors::of(&request);
                if let Some(response) = cors.preflight(&request) {
                    return Ok(response);
                }
                let reply = router.answer(Incoming::read(request).await).await;
                reply.map(|reply| cors.allow(reply.into_response()))
            }
        });
        watcher.watch(self.http.serve_connection(TokioIo::new(stream), service).into_owned()).await
    }
}

enum Begun {
    Plain(TcpStream),
    Tls(Box<tokio_rustls::server::TlsStream<TcpStream>>),
}
