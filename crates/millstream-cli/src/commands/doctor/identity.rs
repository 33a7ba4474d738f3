use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_sts::Client;
use aws_sdk_sts::config::{Builder, ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_sts::error::DisplayErrorContext;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use millstream_kinesis::now_ms;

use super::finding::Finding;
use super::place::Place;
use crate::hint::credentials_hint;

const CHECK: &str = "identity";

/// What STS answered.
pub(super) struct Identity {
    /// Who the credentials belong to; or why that is not known.
    arn: Result<String, Refusal>,
    /// How far this machine's clock is ahead of the service's, in milliseconds.
    pub(super) ahead_ms: Option<i64>,
}

struct Refusal {
    message: String,
    /// STS did answer.
    is_answer: bool,
}

/// Asks who the credentials belong to: needs no permission.
pub(super) async fn ask(place: &Place) -> Identity {
    let mut config = Builder::from(&place.settings.load().await);
    // An endpoint that is not AWS's answers for all services.
    if let Some(endpoint) = place.settings.dynamodb_endpoint_effective() {
        config.set_endpoint_url(Some(endpoint));
    }
    let dates = Dates::default();
    let call = Client::from_conf(config.build()).get_caller_identity().customize().interceptor(dates.clone());
    let arn = match call.send().await {
        Ok(answer) => Ok(answer.arn.unwrap_or_else(|| "nobody".to_owned())),
        Err(error) => Err(Refusal {
            is_answer: error.as_service_error().is_some(),
            message: DisplayErrorContext(&error).to_string(),
        }),
    };
    let ahead_ms = *dates.ahead_ms.lock().unwrap_or_else(PoisonError::into_inner);
    Identity { arn, ahead_ms }
}

pub(super) fn check(identity: &Identity) -> Finding {
    match &identity.arn {
        Ok(arn) => Finding::well(CHECK, arn),
        Err(Refusal { message, is_answer: true }) => Finding::wrong(CHECK, message, credentials_hint(message)),
        Err(Refusal { message, .. }) => Finding::unknown(CHECK, format!("STS can't be asked: {message}")),
    }
}

/// Compares the answer's time with this machine's.
#[derive(Debug, Clone, Default)]
struct Dates {
    ahead_ms: Arc<Mutex<Option<i64>>>,
}

#[dyn_dispatch_hint]
impl Intercept for Dates {
    fn name(&self) -> &'static str {
        "Dates"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let date = date.and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
        let ahead_ms = date.and_then(|date| Some(now_ms() - date.to_millis().ok()?));
        *self.ahead_ms.lock().unwrap_or_else(PoisonError::into_inner) = ahead_ms;
        Ok(())
    }
}
