//! One connection: HTTP/1.1 or HTTP/2, whichever its first bytes say.

use std::error::Error;
use std::sync::Arc;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulConnection;
use tokio::net::TcpStream;

use super::{Incoming, Reply};
use crate::router::Router;

/// Requests of one HTTP/2 connection under way at a time; the Java SDK opens further connections beyond.
const MAX_REQUESTS: u32 = 1000;
/// Bytes of a request's body on their way before they are asked for; a PutRecords of usual size needs no second asking.
const REQUEST_WINDOW: u32 = 1024 * 1024;
/// The same for all requests of a connection together.
const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;

/// What is served on every connection.
pub(super) type Protocols = Builder<TokioExecutor>;

pub(super) fn protocols() -> Protocols {
    let mut protocols = Builder::new(TokioExecutor::new());
    protocols.http1().timer(TokioTimer::new());
    protocols
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_REQUESTS)
        .initial_stream_window_size(REQUEST_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW);
    protocols
}

pub(super) fn serve(
    protocols: &Protocols,
    stream: TcpStream,
    router: Arc<Router>,
) -> impl GracefulConnection<Error = Box<dyn Error + Send + Sync>> + use<> {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    let service = service_fn(move |request| {
        let router = Arc::clone(&router);
        async move { router.answer(Incoming::read(request).await).await.map(Reply::into_response) }
    });
    protocols.serve_connection(TokioIo::new(stream), service).into_owned()
}
