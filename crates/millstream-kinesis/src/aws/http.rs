use std::env;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use super::trust;

type LazyClient = LazyLock<SharedHttpClient>;

fn client() -> SharedHttpClient {
    SharedHttpClient::new(LazyTls::new())
}

/// The one HTTP client of the process: all AWS clients share its connections.
pub(super) fn shared() -> SharedHttpClient {
    static CLIENT: LazyClient = LazyLock::new(client);
    CLIENT.clone()
}

/// The client for the next subscription: each of a few in turn.
///
/// A client has one HTTP/2 connection to a host. It carries a limited number of streams, and those that nobody reads for a
/// while use up its window: no other call shall wait for them.
pub(super) fn for_subscription() -> SharedHttpClient {
    static CLIENTS: [LazyClient; 8] = [const { LazyLock::new(client) }; 8];
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    CLIENTS[next % CLIENTS.len()].clone()
}

/// Prepares TLS when the first `https` request is made.
///
/// The SDK's own client reads the machine's root certificates as soon as it is built: some 10 ms that a program on a
/// plain `http` endpoint should not pay for, and a failure where there are no certificates.
struct LazyTls {
    plain: SharedHttpClient,
    tls: Arc<LazyTlsClient>,
}

/// A client with TLS, or why there is none.
type LazyTlsClient = LazyLock<Result<SharedHttpClient, String>>;

impl LazyTls {
    fn new() -> Self {
        LazyTls { plain: Builder::new().build_http(), tls: Arc::new(LazyLock::new(tls_client)) }
    }
}

fn tls_client() -> Result<SharedHttpClient, String> {
    let context = trust::context(env::var_os(trust::CA_BUNDLE).as_deref())?;
    Ok(Builder::new().build_with_connector_fn(move |settings, components| {
        let mut builder = Connector::builder().proxy_config(ProxyConfig::from_env());
        builder.set_connector_settings(settings.cloned());
        builder.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        builder.tls_provider(Provider::rustls(CryptoMode::Ring)).tls_context(context.clone()).build()
    }))
}

impl fmt::Debug for LazyTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LazyTls")
    }
}

impl HttpClient for LazyTls {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(LazyTlsConnector {
            plain: self.plain.http_connector(settings, components),
            tls_client: Arc::clone(&self.tls),
            tls: OnceLock::new(),
            settings: settings.clone(),
            components: components.clone(),
        })
    }
}

struct LazyTlsConnector {
    plain: SharedHttpConnector,
    tls_client: Arc<LazyTlsClient>,
    tls: OnceLock<SharedHttpConnector>,
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
}

impl fmt::Debug for LazyTlsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LazyTlsConnector")
    }
}

impl HttpConnector for LazyTlsConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if request.uri().starts_with("http://") {
            return self.plain.call(request);
        }
        match &**self.tls_client {
            Ok(client) => {
                self.tls.get_or_init(|| client.http_connector(&self.settings, &self.components)).call(request)
            }
            Err(message) => HttpConnectorFuture::ready(Err(ConnectorError::user(message.as_str().into()))),
        }
    }
}
