//! CloudWatch, of which one call is needed: the SDK's crate for it would be the largest of all.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::display::DisplayErrorContext;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{AwsSettings, http};

const CONTENT_TYPE: &str = "application/x-www-form-urlencoded; charset=utf-8";
/// What the Query protocol does not leave as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// Temporary credentials are asked for anew so long before they expire.
const RENEWED_BEFORE: Duration = Duration::from_secs(60);

/// Some measurements of one metric within one interval.
#[derive(Debug, Clone, PartialEq)]
pub struct Datum {
    /// The metric's name.
    pub name: &'static str,
    /// What was measured: names and values.
    pub dimensions: Vec<(&'static str, String)>,
    /// CloudWatch's word for the unit, such as `Count`.
    pub unit: &'static str,
    /// When, in milliseconds since the epoch.
    pub time_ms: i64,
    /// How often.
    pub count: f64,
    /// Of what was measured.
    pub sum: f64,
    /// The smallest.
    pub minimum: f64,
    /// The largest.
    pub maximum: f64,
}

/// A client of CloudWatch that puts metrics, and nothing else.
#[derive(Clone)]
pub struct CloudWatch {
    credentials: Option<SharedCredentialsProvider>,
    known: Arc<Mutex<Option<Credentials>>>,
    region: String,
    endpoint: String,
    operation: Operation<Signed, (), Refused>,
}

/// Why metrics could not be put. Says at which endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("CloudWatch at {endpoint}: {message}")]
pub struct CloudWatchError {
    endpoint: String,
    message: String,
}

/// A request with its signature. The headers are not shown: one may be a token.
struct Signed {
    headers: Vec<(String, String)>,
    body: String,
}

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed").field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for CloudWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudWatch").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// What the service answered.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Refused(String);

impl CloudWatch {
    /// A client for these settings. Makes no call yet.
    ///
    /// # Errors
    /// There is no region.
    pub async fn connect(settings: &AwsSettings) -> Result<Self, CloudWatchError> {
        let sdk = settings.load().await;
        let set = settings.cloudwatch_endpoint_effective();
        let region = sdk.region().map(ToString::to_string).unwrap_or_default();
        if region.is_empty() {
            let message = "no region is set: name one, or set AWS_REGION".to_owned();
            return Err(CloudWatchError { endpoint: set.unwrap_or_else(|| "AWS".to_owned()), message });
        }
        let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let endpoint = set.unwrap_or_else(|| format!("https://monitoring.{region}.{domain}"));
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        let operation = Operation::builder()
            .service_name("CloudWatch")
            .operation_name("PutMetricData")
            .http_client(http::shared())
            .endpoint_url(&endpoint)
            .no_auth()
            .no_retry()
            .serializer(request)
            .deserializer(answer)
            .build();
        let credentials = sdk.credentials_provider();
        Ok(CloudWatch { credentials, known: Arc::default(), region, endpoint, operation })
    }

    /// Puts at most a thousand measurements in one call, which is not repeated.
    ///
    /// # Errors
    /// There are no credentials, the service can't be reached, or it refuses.
    pub async fn put(&self, namespace: &str, data: &[Datum]) -> Result<(), CloudWatchError> {
        let error = |message: String| CloudWatchError { endpoint: self.endpoint.clone(), message };
        let credentials = self.credentials().await.map_err(error)?;
        let body = form(namespace, data);
        let headers = self.sign(credentials, &body).map_err(|refused| error(refused.to_string()))?;
        let put = self.operation.invoke(Signed { headers, body }).await;
        put.map_err(|refused| error(DisplayErrorContext(refused).to_string()))
    }

    async fn credentials(&self) -> Result<Credentials, String> {
        let soon = SystemTime::now() + RENEWED_BEFORE;
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known.filter(|known| known.expiry().is_none_or(|expiry| expiry > soon)) {
            return Ok(known);
        }
        let provider = self.credentials.as_ref().ok_or("no credentials are set")?;
        let fresh = provider.provide_credentials().await;
        let fresh = fresh.map_err(|error| format!("no credentials: {}", DisplayErrorContext(error)))?;
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(fresh.clone());
        Ok(fresh)
    }

    fn sign(&self, credentials: Credentials, body: &str) -> Result<Vec<(String, String)>, BoxError> {
        let identity = credentials.into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("monitoring")
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let headers = [("content-type", CONTENT_TYPE)];
        let uri = format!("{}/", self.endpoint);
        let body = SignableBody::Bytes(body.as_bytes());
        let signable = SignableRequest::new("POST", uri, headers.into_iter(), body)?;
        let (instructions, _) = sign(signable, &params)?.into_parts();
        let signed = instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned()));
        Ok(signed.chain([("content-type".to_owned(), CONTENT_TYPE.to_owned())]).collect())
    }
}

fn request(signed: Signed) -> Result<HttpRequest, BoxError> {
    let mut request = HttpRequest::new(SdkBody::from(signed.body));
    request.set_method("POST")?;
    request.set_uri("/")?;
    for (name, value) in signed.headers {
        request.headers_mut().try_insert(name, value)?;
    }
    Ok(request)
}

fn answer(response: &HttpResponse) -> Result<(), OrchestratorError<Refused>> {
    if response.status().is_success() {
        return Ok(());
    }
    let body = String::from_utf8_lossy(response.body().bytes().unwrap_or_default());
    let code = element(&body, "Code").unwrap_or("an answer without a code");
    let message = element(&body, "Message").unwrap_or_default();
    Err(OrchestratorError::operation(Refused(format!("{} {code}: {message}", response.status().as_u16()))))
}

/// The text of the first element of this name.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    Some(rest.split_once("</")?.0)
}

/// The request as AWS's Query protocol has it.
fn form(namespace: &str, data: &[Datum]) -> String {
    let mut form = "Action=PutMetricData&Version=2010-08-01".to_owned();
    add(&mut form, "Namespace", namespace);
    for (number, datum) in (1..).zip(data) {
        let member = format!("MetricData.member.{number}");
        add(&mut form, &format!("{member}.MetricName"), datum.name);
        add(&mut form, &format!("{member}.Unit"), datum.unit);
        add(&mut form, &format!("{member}.Timestamp"), &timestamp(datum.time_ms));
        for (number, (name, value)) in (1..).zip(&datum.dimensions) {
            add(&mut form, &format!("{member}.Dimensions.member.{number}.Name"), name);
            add(&mut form, &format!("{member}.Dimensions.member.{number}.Value"), value);
        }
        let statistics =
            [("SampleCount", datum.count), ("Sum", datum.sum), ("Minimum", datum.minimum), ("Maximum", datum.maximum)];
        for (name, value) in statistics {
            add(&mut form, &format!("{member}.StatisticValues.{name}"), &value.to_string());
        }
    }
    form
}

/// `2026-01-31T23:59:59Z`.
fn timestamp(time_ms: i64) -> String {
    let time = aws_smithy_types::DateTime::from_secs(time_ms.div_euclid(1_000));
    time.fmt(aws_smithy_types::date_time::Format::DateTime).unwrap_or_default()
}

fn add(form: &mut String, name: &str, value: &str) {
    form.push('&');
    form.push_str(name);
    form.push('=');
    form.extend(utf8_percent_encode(value, ENCODED));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use millstream_local::{LocalConfig, LocalService};

    use super::*;
    use crate::CredentialsSource;

    fn datum() -> Datum {
        Datum {
            name: "CurrentLeases",
            dimensions: vec![("WorkerIdentifier", "host 1:é".to_owned())],
            unit: "Count",
            time_ms: 1_700_000_000_123,
            count: 2.0,
            sum: 7.5,
            minimum: 3.0,
            maximum: 4.5,
        }
    }

    #[test]
    fn a_request_is_a_form() {
        let expected = "Action=PutMetricData&Version=2010-08-01&Namespace=my%2Fapp&MetricData.member.1.MetricName=CurrentLeases\
            &MetricData.member.1.Unit=Count&MetricData.member.1.Timestamp=2023-11-14T22%3A13%3A20Z\
            &MetricData.member.1.Dimensions.member.1.Name=WorkerIdentifier\
            &MetricData.member.1.Dimensions.member.1.Value=host%201%3A%C3%A9&MetricData.member.1.StatisticValues.SampleCount=2\
            &MetricData.member.1.StatisticValues.Sum=7.5&MetricData.member.1.StatisticValues.Minimum=3\
            &MetricData.member.1.StatisticValues.Maximum=4.5";
        assert_eq!(form("my/app", &[datum()]), expected);
    }

    fn settings(service: &LocalService, secret: &str) -> AwsSettings {
        AwsSettings {
            region: "us-east-1".into(),
            cloudwatch_endpoint: Some(service.endpoint()),
            credentials: CredentialsSource::Static {
                access_key: "AKIDEXAMPLE".into(),
                secret_key: secret.into(),
                session_token: None,
            },
            ..AwsSettings::default()
        }
    }

    #[tokio::test]
    async fn the_signature_is_one_that_the_service_verifies() {
        let file = std::env::temp_dir().join(format!("millstream-cloudwatch-{}", std::process::id()));
        std::fs::write(&file, "[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = right\n").unwrap();
        let config = LocalConfig { credentials: Some(file.clone()), ..LocalConfig::default() };
        let service = LocalService::start(config).await.unwrap();
        std::fs::remove_file(file).unwrap();
        let client = CloudWatch::connect(&settings(&service, "right")).await.unwrap();
        client.put("my/app", &[datum()]).await.unwrap();
        let stranger = CloudWatch::connect(&settings(&service, "wrong")).await.unwrap();
        let error = stranger.put("my/app", &[datum()]).await.unwrap_err().to_string();
        assert!(error.contains("SignatureDoesNotMatch") && error.contains(&service.endpoint()), "{error}");
        assert!(!error.contains("wrong"), "no secret: {error}");
        service.shutdown().await;
        let error = client.put("my/app", &[datum()]).await.unwrap_err().to_string();
        assert!(error.contains(&client.endpoint), "{error}");
    }

    #[tokio::test]
    async fn without_a_setting_the_endpoint_is_that_of_the_region() {
        for (region, endpoint) in [
            ("eu-central-1", "https://monitoring.eu-central-1.amazonaws.com"),
            ("cn-north-1", "https://monitoring.cn-north-1.amazonaws.com.cn"),
        ] {
            let settings = AwsSettings { region: region.into(), ..AwsSettings::default() };
            assert_eq!(CloudWatch::connect(&settings).await.unwrap().endpoint, endpoint);
        }
    }
}
