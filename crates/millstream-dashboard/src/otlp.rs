//! Metrics pushed to an OpenTelemetry collector: OTLP over HTTP, in protobuf, by the OpenTelemetry SDK.

use std::env;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use hyper::{Request, Response};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::connect::HttpConnector;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Meter, MeterProvider};
use opentelemetry_http::hyper::HyperClient;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{MetricExporter, Protocol, RetryPolicy, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider, Stream};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::Feed;
use crate::board::{Board, Snapshot};
use crate::metrics::{Family, Kind, families};
use crate::status::StatusSource;

/// The collector has so long for an answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Metrics that are observed within so long are of one moment.
const ONE_MOMENT: Duration = Duration::from_millis(500);
/// Values that a metric may have, which the SDK holds at 2,000: one a shard.
const MOST_VALUES: usize = 20_000;
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/// Why no metrics are pushed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OtlpError {
    /// What the variables say can't be used.
    #[error("no metrics are sent to the OpenTelemetry collector: {0}; check the OTEL_EXPORTER_OTLP_… variables")]
    Settings(String),
    /// The system gave no thread, or nothing to wait with.
    #[error("no thread for OpenTelemetry's metrics: {0}")]
    Thread(#[source] std::io::Error),
}

/// Pushes all that `/metrics` tells, from its start until it is dropped, and once more then. OpenTelemetry's variables say where to
/// (`OTEL_EXPORTER_OTLP_ENDPOINT`), with what headers, how often (`OTEL_METRIC_EXPORT_INTERVAL`, in ms), and whose they are.
pub(crate) struct OtlpExporter {
    provider: SdkMeterProvider,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl OtlpExporter {
    /// Whether the environment names a collector, and doesn't say that metrics are for another.
    pub(crate) fn is_wanted() -> bool {
        is_wanted(|name| env::var(name).ok())
    }

    /// Begins to push. One push that fails is told of in the log; the next has all that it had.
    ///
    /// # Errors
    /// The variables can't be used, or there is no thread.
    pub(crate) fn start(feed: Arc<Feed>, sources: Vec<Arc<dyn StatusSource>>) -> Result<Self, OtlpError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(OtlpError::Thread)?;
        let handle = runtime.handle().clone();
        let client = Courier { runtime: handle.clone(), client: client() };
        let exporter = MetricExporter::builder().with_http().with_protocol(Protocol::HttpBinary);
        // The next push is the next attempt: it has all that this one had.
        let exporter = exporter.with_http_client(client).with_retry_policy(RetryPolicy::disabled()).build();
        let exporter = exporter.map_err(|error| OtlpError::Settings(error.to_string()))?;
        let (stop, stopped) = oneshot::channel();
        let running = std::thread::Builder::new().name("millstream-otlp".to_owned()).spawn(move || {
            // Its end says the same.
            let _ = runtime.block_on(stopped);
        });
        let thread = running.map_err(OtlpError::Thread)?;
        let provider = SdkMeterProvider::builder()
            .with_resource(resource(&feed))
            .with_reader(PeriodicReader::builder(exporter).build())
            .with_view(|_: &_| Stream::builder().with_cardinality_limit(MOST_VALUES).build().ok())
            .build();
        let source = Source { feed, board: Board::new(sources), runtime: handle, last: Mutex::default() };
        observe(&provider.meter("millstream"), Arc::new(source));
        Ok(Self { provider, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for OtlpExporter {
    fn drop(&mut self) {
        // With a last push, which needs the thread.
        if let Err(error) = self.provider.shutdown() {
            tracing::warn!(%error, "the last metrics were not sent to the OpenTelemetry collector");
        }
        let _ = self.stop.take().map(|stop| stop.send(()));
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread of OpenTelemetry's metrics panicked");
        }
    }
}

fn is_wanted(variable: impl Fn(&str) -> Option<String>) -> bool {
    let is = |name: &str, wanted: &str| variable(name).is_some_and(|text| text.trim().eq_ignore_ascii_case(wanted));
    let is_named = ENDPOINTS.iter().any(|name| variable(name).is_some_and(|endpoint| !endpoint.trim().is_empty()));
    let others = variable("OTEL_METRICS_EXPORTER").filter(|exporters| !exporters.trim().is_empty());
    let is_otlp = others.is_none_or(|exporters| exporters.split(',').any(|exporter| exporter.trim() == "otlp"));
    is_named && is_otlp && !is("OTEL_SDK_DISABLED", "true")
}

/// Whose metrics they are. What the environment says of it goes before.
fn resource(feed: &Feed) -> Resource {
    let history = feed.history();
    let application = history.application();
    let ours = Resource::builder_empty().with_attributes([
        KeyValue::new("service.name", application.name.clone()),
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", application.id.clone()),
    ]);
    let detected = Resource::builder().build();
    let unknown = |name: &str, value: &str| name == "service.name" && value.starts_with("unknown_service");
    let said = detected.iter().filter(|(key, value)| !unknown(key.as_str(), &value.as_str()));
    ours.with_attributes(said.map(|(key, value)| KeyValue::new(key.clone(), value.clone()))).build()
}

/// Takes the metrics.
struct Source {
    feed: Arc<Feed>,
    board: Board,
    runtime: Handle,
    /// Written by the SDK's thread, which asks for each metric by itself.
    last: Mutex<Option<(Instant, Arc<Vec<Family>>)>>,
}

impl Source {
    fn now(&self) -> Arc<Vec<Family>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, families)) = last.filter(|(taken, _)| taken.elapsed() < ONE_MOMENT) {
            return families;
        }
        let snapshot = self.runtime.block_on(self.board.look());
        let families = Arc::new(families(&self.feed.history(), &snapshot));
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), Arc::clone(&families)));
        families
    }

    fn observe(&self, name: &str, to: &dyn AsyncInstrument<f64>) {
        for family in self.now().iter().filter(|family| family.name == name) {
            for sample in &family.samples {
                let labels = sample.labels.iter().map(|(label, value)| KeyValue::new(*label, value.clone()));
                to.observe(sample.value, &labels.collect::<Vec<_>>());
            }
        }
    }
}

/// Lets the SDK ask for every metric that there is, also those that have no value yet.
fn observe(meter: &Meter, source: Arc<Source>) {
    let all = families(&source.feed.history(), &Snapshot::nothing());
    for Family { name, kind, help, .. } in all {
        let (source, asked) = (Arc::clone(&source), name.clone());
        match kind {
            Kind::Counter => {
                let counter = meter.f64_observable_counter(name).with_description(help);
                counter.with_callback(move |to| source.observe(&asked, to)).build();
            }
            Kind::Gauge => {
                let gauge = meter.f64_observable_gauge(name).with_description(help);
                gauge.with_callback(move |to| source.observe(&asked, to)).build();
            }
        }
    }
}

/// Sends requests on a runtime, whoever asks.
#[derive(Debug)]
struct Courier {
    runtime: Handle,
    client: Arc<dyn HttpClient>,
}

#[async_trait]
impl HttpClient for Courier {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = Arc::clone(&self.client);
        // Without what may be secret: user, password, query.
        let collector = request.uri().host().unwrap_or_default().to_owned();
        let sent = self.runtime.spawn(async move { client.send_bytes(request).await }).await;
        let answer = sent.map_err(HttpError::from).flatten();
        match &answer {
            Ok(answer) if answer.status().is_success() => {}
            Ok(answer) => tracing::warn!(%collector, status = %answer.status(), "the collector refuses metrics"),
            Err(error) => tracing::warn!(%collector, %error, "metrics can't be sent to the collector"),
        }
        answer
    }
}

/// A client for `http`, and for `https` where the machine has root certificates.
fn client() -> Arc<dyn HttpClient> {
    match HttpsConnectorBuilder::new().with_native_roots() {
        Ok(builder) => {
            let connector = builder.https_or_http().enable_http1().build();
            Arc::new(HyperClient::new(connector, ANSWER_WITHIN, None))
        }
        Err(error) => {
            tracing::debug!(%error, "no root certificates: a collector by https can't be reached");
            Arc::new(HyperClient::new(HttpConnector::new(), ANSWER_WITHIN, None))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_pushed_where_the_environment_names_a_collector_and_nothing_against_it() {
        let wanted = |variables: &[(&str, &str)]| {
            is_wanted(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
        };
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");
        assert!(!wanted(&[]));
        assert!(wanted(&[endpoint]));
        assert!(wanted(&[("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://localhost:4318/v1/metrics")]));
        assert!(!wanted(&[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")]));
        assert!(wanted(&[endpoint, ("OTEL_METRICS_EXPORTER", "console, otlp")]));
        assert!(!wanted(&[endpoint, ("OTEL_METRICS_EXPORTER", "none")]));
        assert!(!wanted(&[endpoint, ("OTEL_SDK_DISABLED", "true")]));
    }
}
